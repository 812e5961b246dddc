using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>The numbers b and w of an ActNorm <c>y = (x + b) exp(w)</c>, one pair a channel, and how they are set from a first batch.</summary>
internal sealed class ChannelScale
{
    private const double SmallestVariance = 0.2;
    private readonly IBackend _backend;
    private readonly int _channels;

    /// <summary>Makes the identity.</summary>
    public ChannelScale(IBackend backend, string name, int channels, int pixels)
    {
        (_backend, _channels, Pixels) = (backend, channels, pixels);
        Shift = new Parameter(backend, $"{name}.shift", ParameterRole.ActNorm, 1, channels, new double[channels]);
        LogScale = new Parameter(backend, $"{name}.logScale", ParameterRole.ActNorm, 1, channels, new double[channels]);
        Parameters = [Shift, LogScale];
    }

    /// <summary>Pixels that share a pair.</summary>
    public int Pixels { get; }

    /// <summary>Columns of a sample.</summary>
    public int Width => _channels * Pixels;

    /// <summary>b [1, channels].</summary>
    public Parameter Shift { get; }

    /// <summary>w [1, channels].</summary>
    public Parameter LogScale { get; }

    /// <summary>b and w.</summary>
    public Parameter[] Parameters { get; }

    /// <summary>Samples [B, Width] as [B Pixels, channels]; points may be views with gaps.</summary>
    public Tensor ByPixel(Tensor x) => Pixels == 1 ? x : x.Reshape(x.Rows * Pixels, _channels);

    /// <summary>The numbers w on the host.</summary>
    public double[] ReadLogScale()
    {
        var logScale = new double[_channels];
        _backend.Download(LogScale.Value, logScale);
        return logScale;
    }

    /// <summary>y &lt;- (x + shift) exp(w), its log-determinant not asked for. x, y [B, Width], shift [1, channels].</summary>
    public void Forward(Tensor x, Tensor shift, Tensor y, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        Tensor unused = workspace.Rent(x.Rows, 1);
        _backend.Fill(unused, 0);
        _backend.ActNormForward(ByPixel(x), shift, LogScale.Value, Pixels, ByPixel(y), unused);
        workspace.Release(mark);
    }

    /// <summary>Sets b and w so that a first batch x [B, Width] comes out with mean 0 and variance 1.</summary>
    public void Initialise(Tensor x)
    {
        Tensor mean = _backend.Allocate(1, _channels), variance = _backend.Allocate(1, _channels);
        _backend.ColumnMoments(ByPixel(x), mean, variance);
        var shift = new double[_channels];
        var logScale = new double[_channels];
        _backend.Download(mean, shift);
        _backend.Download(variance, logScale);
        for (int j = 0; j < _channels; j++)
        {
            shift[j] = -shift[j];
            logScale[j] = -0.5 * Math.Log(Math.Max(logScale[j], SmallestVariance));
        }

        _backend.Upload(shift, Shift.Value);
        _backend.Upload(logScale, LogScale.Value);
    }
}
