using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <summary>
/// Runs a kernel on the backend under test and on the reference in double, with the same (rounded) inputs, and compares.
/// </summary>
/// <remarks>
/// On the side under test each tensor is a view into a wider buffer, aligned and contiguous or not. The memory around an input is
/// NaN, so that a read beyond the view spoils the result; the memory around an output holds a number that must still be there
/// afterwards; the old contents of an output that is only written are NaN.
/// </remarks>
internal sealed class Bench : IDisposable
{
    private const double Sentinel = -777.25;
    private readonly List<Twin> _twins = [];
    private readonly string _backend;
    private string _case = "";

    public Bench(string backend, int seed)
    {
        _backend = backend;
        Subject = ConformingBackends.Make(backend);
        Random = new Random(seed);
        Unit = Tolerance.Unit(Subject.Precision);
    }

    /// <summary>The backend under test.</summary>
    public IBackend Subject { get; }

    public IBackend Reference { get; } = ReferenceBackend.Create(Precision.Float64);

    public Random Random { get; }

    /// <summary>The unit roundoff of the backend under test.</summary>
    public double Unit { get; }

    public void Dispose()
    {
        Subject.Dispose();
        Reference.Dispose();
    }

    /// <summary>Starts a case; the description appears in failures.</summary>
    public void Begin(string description)
    {
        _case = description;
        _twins.Clear();
    }

    /// <summary>Normal numbers in the precision under test.</summary>
    public double[] Normal(int count, double scale = 1, double offset = 0)
    {
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - Random.NextDouble()));
            values[i] = Round(offset + (scale * radius * Math.Cos(2 * Math.PI * Random.NextDouble())));
        }

        return values;
    }

    public double Round(double x) => Subject.Precision == Precision.Float32 ? (float)x : x;

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[Random.Next(choices.Length)];

    /// <summary>A tensor that the kernel only reads.</summary>
    public Twin In(int rows, int columns, double[]? values = null) => Add(rows, columns, values ?? Normal(rows * columns), false);

    /// <summary>A tensor that the kernel overwrites without reading.</summary>
    public Twin Out(int rows, int columns) =>
        Add(rows, columns, [.. Enumerable.Repeat(double.NaN, rows * columns)], true);

    /// <summary>A tensor that the kernel reads and writes.</summary>
    public Twin InOut(int rows, int columns, double[]? values = null) => Add(rows, columns, values ?? Normal(rows * columns), true);

    /// <summary>Runs the kernel on both sides; the function gives the tensor of the side.</summary>
    public void Run(Action<IBackend, Func<Twin, Tensor>> kernel)
    {
        try
        {
            kernel(Subject, twin => twin.Subject);
        }
        catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{_backend}: {_case}: {failure.Message}", failure);
        }

        kernel(Reference, twin => twin.Reference);
    }

    /// <summary>
    /// Compares an output with the reference; tolerance(row, column) is absolute. NaN equals NaN.
    /// </summary>
    public void Check(Twin output, string name, Func<int, int, double> tolerance)
    {
        double[] expected = Read(Reference, output.Reference);
        double[] actual = Read(Subject, output.Subject);
        for (int i = 0; i < expected.Length; i++)
        {
            double allowed = expected[i] == actual[i] || double.IsNaN(expected[i]) ? 0 : tolerance(i / output.Columns, i % output.Columns);
            bool equal = expected[i].Equals(actual[i]) || Math.Abs(expected[i] - actual[i]) <= allowed;
            if (!equal)
            {
                Assert.Fail(
                    $"{_backend}: {_case}: {name}[{i / output.Columns}, {i % output.Columns}] of {output.Subject} " +
                    $"is {actual[i]:R}, expected {expected[i]:R} +- {allowed:R}");
            }
        }
    }

    /// <summary>As above with one tolerance for all elements.</summary>
    public void Check(Twin output, string name, double tolerance) => Check(output, name, (_, _) => tolerance);

    /// <summary>Compares without any tolerance but the rounding to the precision under test.</summary>
    public void CheckExact(Twin output, string name)
    {
        double[] expected = Read(Reference, output.Reference);
        Check(output, name, (i, j) => Unit * Math.Abs(expected[(i * output.Columns) + j]));
    }

    /// <summary>Ends a case: inputs must be what they were, and so must the memory around outputs.</summary>
    public void End()
    {
        foreach (Twin twin in _twins)
        {
            double[] after = Read(Subject, Whole(twin.Subject.Buffer));
            for (int i = 0; i < after.Length; i++)
            {
                if (!(twin.IsWritten && twin.Covers(i)) && !after[i].Equals(twin.Memory[i]))
                {
                    Assert.Fail(
                        $"{_backend}: {_case}: element {i - twin.Subject.Offset} from the start of {twin.Subject} " +
                        $"was {twin.Memory[i]:R} and is {after[i]:R}");
                }
            }
        }
    }

    /// <summary>The numbers of a tensor of either side.</summary>
    public static double[] Read(IBackend backend, Tensor tensor)
    {
        double[] values = new double[tensor.Count];
        backend.Download(tensor, values);
        return values;
    }

    /// <summary>A tensor of the reference alone.</summary>
    public Tensor OfReference(int rows, int columns, double[] values)
    {
        Tensor tensor = Reference.Allocate(rows, columns);
        Reference.Upload(values, tensor);
        return tensor;
    }

    private static Tensor Whole(DeviceBuffer buffer) => new(buffer, 0, 1, buffer.Length, buffer.Length);

    private Twin Add(int rows, int columns, double[] values, bool isWritten)
    {
        bool plain = Random.Next(3) == 0;
        int offset = plain ? 0 : Random.Next(19);
        int stride = columns + (plain ? 0 : Random.Next(9));
        double[] memory = new double[offset + (rows * stride) + 40];
        Array.Fill(memory, isWritten ? Sentinel : double.NaN);
        var subject = new Tensor(Subject.AllocateBuffer(memory.Length), offset, rows, columns, stride);
        for (int i = 0; i < rows; i++)
        {
            values.AsSpan(i * columns, columns).CopyTo(memory.AsSpan(offset + (i * stride)));
        }

        Subject.Upload(memory, Whole(subject.Buffer));
        var twin = new Twin(subject, OfReference(rows, columns, values), values, memory, isWritten);
        _twins.Add(twin);
        return twin;
    }
}

/// <summary>The same matrix on both sides.</summary>
/// <param name="Subject">On the backend under test.</param>
/// <param name="Reference">On the reference.</param>
/// <param name="Values">The numbers at first, row by row.</param>
/// <param name="Memory">The whole buffer of <paramref name="Subject"/> at first.</param>
/// <param name="IsWritten">Whether the kernel may write inside the view.</param>
internal sealed record Twin(Tensor Subject, Tensor Reference, double[] Values, double[] Memory, bool IsWritten)
{
    public int Rows => Subject.Rows;

    public int Columns => Subject.Columns;

    /// <summary>The first value of element (i, j).</summary>
    public double this[int i, int j] => Values[(i * Columns) + j];

    /// <summary>Whether element <paramref name="index"/> of the buffer belongs to the view.</summary>
    public bool Covers(int index)
    {
        int from = index - Subject.Offset;
        return from >= 0 && Columns > 0 && Subject.Stride > 0 && from / Subject.Stride < Rows && from % Subject.Stride < Columns;
    }
}
