using Lipschitz.Backends;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// Convolutions by a library, cuDNN; null in a backend where it is missing, which then gathers pixels and multiplies. Pictures are
/// [B pixels, channels] views with any row stride (NHWC, the pixel's stride being the row's); filters are [outputs, taps, inputs] without
/// gaps, taps in the order of <see cref="IBackend"/>; cross-correlation, stride 1, zero padding kernel / 2. Each method answers false, and
/// queues nothing, where the library has no deterministic algorithm for that shape: the caller then gathers pixels and multiplies.
/// </summary>
internal interface IConvolutions : IDisposable
{
    /// <summary>Such as <c>cuDNN 9.5.1</c>.</summary>
    string Name { get; }

    /// <summary>Queues y &lt;- filter * x + beta y. filter: address of [y.Columns, taps, x.Columns].</summary>
    bool TryForward(ConvolutionShape shape, DeviceView x, nint filter, float beta, DeviceView y);

    /// <summary>Queues x &lt;- the adjoint of filter applied to y, + beta x. filter: address of [y.Columns, taps, x.Columns].</summary>
    bool TryBackwardData(ConvolutionShape shape, DeviceView y, nint filter, float beta, DeviceView x);

    /// <summary>
    /// Queues filterGradient &lt;- derivative of sum(yGradient * (filter * x)) + beta filterGradient. filterGradient: address of
    /// [yGradient.Columns, taps, x.Columns].
    /// </summary>
    bool TryBackwardFilter(ConvolutionShape shape, DeviceView x, DeviceView yGradient, float beta, nint filterGradient);
}
