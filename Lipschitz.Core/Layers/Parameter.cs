using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>What a <see cref="Parameter"/> is for.</summary>
public enum ParameterRole
{
    /// <summary>A weight matrix or kernel.</summary>
    Weight,

    /// <summary>A bias.</summary>
    Bias,

    /// <summary>The scalars of an activation.</summary>
    Activation,

    /// <summary>The raw numbers K behind e1 and e2 of dense layers.</summary>
    Concatenation,

    /// <summary>Shift or scale of an ActNorm.</summary>
    ActNorm,

    /// <summary>Singular vectors kept between power iterations: saved, never trained.</summary>
    SingularVector,
}

/// <summary>A named matrix of numbers that a layer owns and a checkpoint keeps.</summary>
public sealed class Parameter
{
    private const int LargestPart = 8192; // initial numbers held at a time

    /// <summary>Allocates a parameter and sets it to <paramref name="initial"/> (row by row).</summary>
    /// <exception cref="ShapeMismatchException">The number of initial values is not rows times columns.</exception>
    public Parameter(IBackend backend, string name, ParameterRole role, int rows, int columns, ReadOnlySpan<double> initial)
    {
        if (initial.Length != rows * columns)
        {
            throw new ShapeMismatchException($"Parameter {name} is [{rows}, {columns}] but {initial.Length} initial values were given.");
        }

        (Name, Role) = (name, role);
        Value = backend.Allocate(rows, columns);
        backend.Upload(initial, Value);
    }

    /// <summary>Allocates a parameter and sets it row by row to the numbers that <paramref name="draw"/> gives, part after part.</summary>
    internal Parameter(IBackend backend, string name, ParameterRole role, int rows, int columns, Action<Span<double>> draw)
    {
        (Name, Role) = (name, role);
        Value = backend.Allocate(rows, columns);
        Tensor flat = Value.Reshape(1, rows * columns);
        var part = new double[Math.Min(flat.Columns, LargestPart)];
        for (int start = 0; start < flat.Columns; start += part.Length)
        {
            Span<double> numbers = part.AsSpan(0, Math.Min(part.Length, flat.Columns - start));
            draw(numbers);
            backend.Upload(numbers, flat.ColumnRange(start, numbers.Length));
        }
    }

    /// <summary>The full name, such as <c>blocks.3.layers.1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>What it is for.</summary>
    public ParameterRole Role { get; }

    /// <summary>Rows that belong to one output: the taps of the kernel for the weight of a convolution.</summary>
    public int Taps { get; init; } = 1;

    /// <summary>Whether it is a weight that is scaled down to a norm, so that its own scale means nothing beyond it.</summary>
    public bool IsNormalised { get; init; }

    /// <summary>How often a sample uses each number in one evaluation: as often as there are pixels for the weight of a convolution.</summary>
    public int Uses { get; init; } = 1;

    /// <summary>Whether the optimiser changes it.</summary>
    public bool IsTrained => Role != ParameterRole.SingularVector;

    /// <summary>The numbers.</summary>
    public Tensor Value { get; private set; }

    /// <summary>Where it lies in the flat vector of its <see cref="ParameterVector"/>; -1 before.</summary>
    public int Offset { get; private set; } = -1;

    /// <summary>The part of a flat [1, n] gradient that belongs to this parameter, in its shape.</summary>
    public Tensor In(Tensor flat) =>
        new Tensor(flat.Buffer, flat.Offset + Offset, Value.Rows, Value.Columns, Value.Columns);

    internal void MoveTo(IBackend backend, Tensor flat, int offset)
    {
        Tensor old = Value;
        Offset = offset;
        Value = In(flat);
        backend.Copy(old, Value);
    }
}
