using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Backends;

/// <summary>Small helpers: random numbers, tensors from arrays, central differences.</summary>
internal static class Differences
{
    private const double Step = 1e-5;

    public static readonly IBackend Backend = ReferenceBackend.Create(Precision.Float64);

    /// <summary>Normal draws by the Box-Muller formula.</summary>
    public static double[] Normal(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ =>
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    /// <summary>Normal draws no nearer than 0.001 to the kinks of any activation: 0 and +-1.</summary>
    public static double[] AwayFromKinks(Random random, int count) =>
        [.. Normal(random, count).Select(x => Math.Abs(x) < 1e-3 || Math.Abs(Math.Abs(x) - 1) < 1e-3 ? 0.5 : x)];

    public static Tensor Tensor(int rows, int columns, params double[] values)
    {
        Tensor tensor = Backend.Allocate(rows, columns);
        Backend.Upload(values, tensor);
        return tensor;
    }

    public static Tensor NaNs(int rows, int columns)
    {
        Tensor tensor = Backend.Allocate(rows, columns);
        Backend.Fill(tensor, double.NaN);
        return tensor;
    }

    public static double[] Read(this Tensor tensor)
    {
        double[] values = new double[tensor.Count];
        Backend.Download(tensor, values);
        return values;
    }

    public static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();

    /// <summary>The gradient of f at x by central differences.</summary>
    public static double[] Gradient(Func<double[], double> f, double[] x)
    {
        double[] gradient = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            double[] up = [.. x];
            double[] down = [.. x];
            up[i] += Step;
            down[i] -= Step;
            gradient[i] = (f(up) - f(down)) / (2 * Step);
        }

        return gradient;
    }

    public static void Close(double expected, double actual, double tolerance = 1e-12) =>
        Assert.True(
            Math.Abs(expected - actual) <= tolerance * (1 + Math.Abs(expected)), $"expected {expected:R}, actual {actual:R}");

    public static void Close(double[] expected, double[] actual, double tolerance = 1e-12)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance * (1 + Math.Abs(expected[i])),
                $"element {i}: expected {expected[i]:R}, actual {actual[i]:R}");
        }
    }

    /// <summary>Against central differences, whose own error is some 1e-9.</summary>
    public static void CloseToDifferences(double[] expected, double[] actual) => Close(expected, actual, 1e-7);
}
