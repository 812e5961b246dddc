using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// A weight matrix [outputs, inputs], or that of a convolution [outputs taps, inputs], as evaluations use it: normalised, and with the factors
/// of concatenations in its columns where its layer puts them there.
/// </summary>
/// <remarks>
/// Evaluations use packed copies. The matrix itself is needed by whoever saves or bounds a model, so it is made when it is asked for; a model
/// in training does without.
/// </remarks>
public sealed class EffectiveWeight
{
    private readonly IBackend _backend;
    private readonly int _rows;
    private readonly int _columns;
    private readonly Action<Tensor> _materialise;
    private readonly Action<Tensor> _pack;
    private readonly Lock _lock = new();
    private Tensor? _value;
    private bool _isStale = true;
    private long _version;

    /// <summary>Describes a weight.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Its full name.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="materialise">Writes it, from the parameters.</param>
    /// <param name="pack">Makes evaluations use the numbers given.</param>
    internal EffectiveWeight(IBackend backend, string name, int rows, int columns, Action<Tensor> materialise, Action<Tensor> pack) =>
        (_backend, Name, _rows, _columns, _materialise, _pack) = (backend, name, rows, columns, materialise, pack);

    /// <summary>Its full name, such as <c>blocks.3.layers.1.effective</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// The numbers [rows, columns], made from the parameters at the first reading after each <see cref="ILayer.Prepare"/>; always in the same memory.
    /// </summary>
    public Tensor Value
    {
        get
        {
            lock (_lock)
            {
                Tensor value = _value ??= _backend.Allocate(_rows, _columns);
                if (_isStale)
                {
                    _materialise(value);
                    _isStale = false;
                }

                return value;
            }
        }
    }

    /// <summary>Goes up whenever evaluations may use other numbers than before.</summary>
    internal long Version => Interlocked.Read(ref _version);

    /// <summary>Makes the numbers from the parameters, and evaluations use them.</summary>
    internal void Prepare()
    {
        Workspace workspace = ThreadWorkspace.For(_backend);
        WorkspaceMark mark = workspace.Mark();
        Tensor made = workspace.Rent(_rows, _columns);
        _materialise(made);
        _pack(made);
        workspace.Release(mark);
        Expire();
    }

    /// <summary>The parameters have changed since <see cref="Value"/> was made.</summary>
    internal void Expire()
    {
        lock (_lock)
        {
            _isStale = true;
        }

        Interlocked.Increment(ref _version);
    }

    /// <summary>Makes evaluations use the numbers now in <see cref="Value"/>.</summary>
    internal void Pack()
    {
        _pack(Value);
        Interlocked.Increment(ref _version);
    }
}
