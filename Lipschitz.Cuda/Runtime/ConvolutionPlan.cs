using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>Which of the three products of a convolution.</summary>
internal enum ConvolutionKind
{
    /// <summary>y &lt;- w * x.</summary>
    Forward,

    /// <summary>x &lt;- the adjoint of w applied to y.</summary>
    BackwardData,

    /// <summary>w &lt;- the derivative of sum(y (w * x)).</summary>
    BackwardFilter,
}

/// <summary>All that cuDNN's choice of an algorithm depends on.</summary>
/// <param name="Kind">Which product.</param>
/// <param name="Shape">Pixels and kernel.</param>
/// <param name="Pictures">Pictures in the batch.</param>
/// <param name="Inputs">Channels of x.</param>
/// <param name="InputStride">Elements from pixel to pixel of x.</param>
/// <param name="Outputs">Channels of y.</param>
/// <param name="OutputStride">Elements from pixel to pixel of y.</param>
internal readonly record struct ConvolutionKey(
    ConvolutionKind Kind, ConvolutionShape Shape, int Pictures, int Inputs, int InputStride, int Outputs, int OutputStride)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Pictures} pictures of {Shape.Height} x {Shape.Width}, kernel {Shape.Kernel}, "
        + $"{Inputs} channels (stride {InputStride}) to {Outputs} (stride {OutputStride})";
}

/// <summary>cuDNN's descriptions of the operands of one convolution, and the algorithm chosen for it.</summary>
/// <remarks>
/// Only algorithms that give the same bits each time and that add the products as they are: the Winograd and Fourier transforms are faster but round
/// several times as much as the tests of kernels allow.
/// </remarks>
internal sealed unsafe class ConvolutionPlan : IDisposable
{
    private const int MostAlgorithms = 32; // an algorithm is listed once for each kind of arithmetic
    private const long MostWorkspaceBytes = 1L << 30;

    private readonly nint _handle;
    private readonly ConvolutionKind _kind;
    private nint _x;
    private nint _w;
    private nint _y;
    private nint _convolution;
    private int _algorithm;

    private ConvolutionPlan(nint handle, ConvolutionKind kind) => (_handle, _kind) = (handle, kind);

    /// <summary>Bytes of workspace that <see cref="Queue"/> needs.</summary>
    public nuint WorkspaceBytes { get; private set; }

    /// <summary>A plan; null where cuDNN has no algorithm, of those wanted here, for these strides and channels.</summary>
    public static ConvolutionPlan? TryCreate(nint handle, ConvolutionKey key, bool allowTf32)
    {
        var plan = new ConvolutionPlan(handle, key.Kind);
        bool isComplete = false;
        try
        {
            isComplete = plan.Describe(key, allowTf32) && plan.Choose(key, allowTf32);
            return isComplete ? plan : null;
        }
        finally
        {
            if (!isComplete)
            {
                plan.Dispose();
            }
        }
    }

    /// <summary>Queues the convolution.</summary>
    /// <returns>cuDNN's status.</returns>
    public int Queue(nint x, nint w, nint y, float beta, nint workspace)
    {
        float one = 1;
        nuint bytes = WorkspaceBytes;
        return _kind switch
        {
            ConvolutionKind.Forward => Cudnn.Forward(_handle, &one, _x, x, _w, w, _convolution, _algorithm, workspace, bytes, &beta, _y, y),
            ConvolutionKind.BackwardData => Cudnn.BackwardData(_handle, &one, _w, w, _y, y, _convolution, _algorithm, workspace, bytes, &beta, _x, x),
            _ => Cudnn.BackwardFilter(_handle, &one, _x, x, _y, y, _convolution, _algorithm, workspace, bytes, &beta, _w, w),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        (nint x, nint y, nint w, nint convolution) = (_x, _y, _w, _convolution);
        (_x, _y, _w, _convolution) = (0, 0, 0, 0);
        CheckDestroyed(x == 0 ? Cudnn.Success : Cudnn.DestroyTensorDescriptor(x), "cudnnDestroyTensorDescriptor");
        CheckDestroyed(y == 0 ? Cudnn.Success : Cudnn.DestroyTensorDescriptor(y), "cudnnDestroyTensorDescriptor");
        CheckDestroyed(w == 0 ? Cudnn.Success : Cudnn.DestroyFilterDescriptor(w), "cudnnDestroyFilterDescriptor");
        CheckDestroyed(convolution == 0 ? Cudnn.Success : Cudnn.DestroyConvolutionDescriptor(convolution), "cudnnDestroyConvolutionDescriptor");
    }

    private static void CheckDestroyed(int status, string call)
    {
        if (status != Cudnn.Success)
        {
            throw CudaException.OfCudnn(status, call);
        }
    }

    private static bool IsAccepted(int status, string call, ConvolutionKey key) =>
        status == Cudnn.Success || (Cudnn.IsRefusal(status) ? false : throw CudaException.OfCudnn(status, call, key.ToString()));

    // Algorithms by number: the implicit and explicit products forward, and the deterministic one of each direction back.
    private static bool IsExact(ConvolutionKind kind, int algorithm) => kind switch
    {
        ConvolutionKind.Forward => algorithm is Cudnn.ForwardImplicitGemm or Cudnn.ForwardImplicitPrecomputedGemm or Cudnn.ForwardGemm,
        ConvolutionKind.BackwardData => algorithm == Cudnn.BackwardData1,
        _ => algorithm == Cudnn.BackwardFilter1,
    };

    private bool Describe(ConvolutionKey key, bool allowTf32)
    {
        (ConvolutionShape shape, int padding) = (key.Shape, key.Shape.Kernel / 2);
        return Create(key)
            && IsAccepted(DescribePictures(_x, key, key.Inputs, key.InputStride), "cudnnSetTensor4dDescriptorEx", key)
            && IsAccepted(DescribePictures(_y, key, key.Outputs, key.OutputStride), "cudnnSetTensor4dDescriptorEx", key)
            && IsAccepted(
                Cudnn.SetFilterDescriptor(_w, Cudnn.Float, Cudnn.Nhwc, key.Outputs, key.Inputs, shape.Kernel, shape.Kernel),
                "cudnnSetFilter4dDescriptor",
                key)
            && IsAccepted(
                Cudnn.SetConvolutionDescriptor(_convolution, padding, padding, 1, 1, 1, 1, Cudnn.CrossCorrelation, Cudnn.Float),
                "cudnnSetConvolution2dDescriptor",
                key)
            && SetMath(allowTf32 ? Cudnn.TensorOpMath : Cudnn.FmaMath, key);
    }

    // Each is noted as soon as it is there, so that it is given back where the next one fails.
    private bool Create(ConvolutionKey key)
    {
        fixed (nint* x = &_x, y = &_y, w = &_w, convolution = &_convolution)
        {
            return IsAccepted(Cudnn.CreateTensorDescriptor(x), "cudnnCreateTensorDescriptor", key)
                && IsAccepted(Cudnn.CreateTensorDescriptor(y), "cudnnCreateTensorDescriptor", key)
                && IsAccepted(Cudnn.CreateFilterDescriptor(w), "cudnnCreateFilterDescriptor", key)
                && IsAccepted(Cudnn.CreateConvolutionDescriptor(convolution), "cudnnCreateConvolutionDescriptor", key);
        }
    }

    private static int DescribePictures(nint descriptor, ConvolutionKey key, int channels, int stride)
    {
        (int height, int width) = (key.Shape.Height, key.Shape.Width);
        return Cudnn.SetTensorDescriptor(
            descriptor, Cudnn.Float, key.Pictures, channels, height, width, checked(height * width * stride), 1, checked(width * stride), stride);
    }

    private bool SetMath(int math, ConvolutionKey key) =>
        IsAccepted(Cudnn.SetConvolutionMathType(_convolution, math), "cudnnSetConvolutionMathType", key);

    // The first in cuDNN's order, fastest first, that is exact and deterministic and has a reasonable workspace.
    private bool Choose(ConvolutionKey key, bool allowTf32)
    {
        Cudnn.Algorithm* found = stackalloc Cudnn.Algorithm[MostAlgorithms];
        int count = 0;
        if (!IsAccepted(Ask(found, &count), $"cudnnGetConvolution{_kind}Algorithm_v7", key))
        {
            return false;
        }

        for (int i = 0; i < Math.Min(count, MostAlgorithms); i++)
        {
            Cudnn.Algorithm candidate = found[i];
            bool isWanted = candidate.Status == Cudnn.Success && candidate.Determinism == Cudnn.Deterministic && IsExact(_kind, candidate.Number);
            bool hasMath = allowTf32 ? SetMath(candidate.MathType, key) : candidate.MathType is Cudnn.FmaMath or Cudnn.DefaultMath;
            if (isWanted && hasMath && HasWorkspace(candidate.Number, key))
            {
                _algorithm = candidate.Number;
                return true;
            }
        }

        return false;
    }

    private int Ask(Cudnn.Algorithm* found, int* count) => _kind switch
    {
        ConvolutionKind.Forward => Cudnn.GetForwardAlgorithms(_handle, _x, _w, _convolution, _y, MostAlgorithms, count, found),
        ConvolutionKind.BackwardData => Cudnn.GetBackwardDataAlgorithms(_handle, _w, _y, _convolution, _x, MostAlgorithms, count, found),
        _ => Cudnn.GetBackwardFilterAlgorithms(_handle, _x, _y, _convolution, _w, MostAlgorithms, count, found),
    };

    private bool HasWorkspace(int algorithm, ConvolutionKey key)
    {
        nuint bytes = 0;
        int status = _kind switch
        {
            ConvolutionKind.Forward => Cudnn.GetForwardWorkspace(_handle, _x, _w, _convolution, _y, algorithm, &bytes),
            ConvolutionKind.BackwardData => Cudnn.GetBackwardDataWorkspace(_handle, _w, _y, _convolution, _x, algorithm, &bytes),
            _ => Cudnn.GetBackwardFilterWorkspace(_handle, _x, _y, _convolution, _w, algorithm, &bytes),
        };
        WorkspaceBytes = bytes;
        return IsAccepted(status, $"cudnnGetConvolution{_kind}WorkspaceSize", key) && bytes <= MostWorkspaceBytes;
    }
}
