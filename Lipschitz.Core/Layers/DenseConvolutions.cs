using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>The packed convolutions of the dense layers of one <see cref="DenseNet"/>, for both directions.</summary>
/// <remarks>
/// The adjoint of slice j takes a_j+1 .. a_depth at once: their weights' column blocks j lie behind each other as its input channels.
/// </remarks>
internal sealed class DenseConvolutions
{
    private readonly IBackend _backend;
    private readonly int[] _starts; // first channel of each slice; the last entry is the total
    private readonly int _growth;
    private readonly PackedConvolution[] _forward;
    private readonly PackedConvolution[] _adjoint;

    public DenseConvolutions(IBackend backend, ConvolutionShape shape, int[] starts, int growth)
    {
        (_backend, _starts, _growth) = (backend, starts, growth);
        int depth = starts.Length - 2;
        _forward = [.. Enumerable.Range(0, depth).Select(i => backend.CreatePackedConvolution(shape, starts[i + 1], growth))];
        _adjoint = [.. Enumerable.Range(0, depth).Select(
            j => backend.CreatePackedConvolution(shape, (depth - j) * growth, starts[j + 1] - starts[j]))];
    }

    /// <summary>From slices 0..i to the values before the activation of layer i.</summary>
    public PackedConvolution Forward(int i) => _forward[i];

    /// <summary>From a_j+1 .. a_depth to the gradient of slice j.</summary>
    public PackedConvolution Adjoint(int j) => _adjoint[j];

    /// <summary>Takes the effective weight [growth taps, starts[i + 1]] of dense layer i.</summary>
    public void Pack(int i, Tensor effective)
    {
        _backend.PackConvolution(effective, false, _forward[i]);
        for (int j = 0; j <= i; j++)
        {
            Tensor block = effective.ColumnRange(_starts[j], _starts[j + 1] - _starts[j]);
            _backend.PackConvolution(block, true, _adjoint[j], (i - j) * _growth);
        }
    }
}
