using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Golden;

/// <summary>Activations with all their derivatives, and power iteration, against PyTorch's.</summary>
public abstract class GoldenActivationTests(IBackend backend, double tolerance)
{
    private const int Cases = 10;
    private static readonly string[] s_parameterOrder = ["alpha", "beta"];

    public static TheoryData<int> CaseNumbers => [.. Enumerable.Range(0, Cases)];

    [Fact]
    public void Every_case_of_the_file_is_tested() =>
        Assert.Equal(Cases, GoldenFile.Load("activations")["cases"]!.AsArray().Count);

    [Theory, MemberData(nameof(CaseNumbers))]
    public void Values_and_derivatives_are_the_recorded_ones(int number)
    {
        JsonNode file = GoldenFile.Load("activations"), golden = file["cases"]![number]!;
        var f = Enum.Parse<Activation>(golden["name"]!.GetValue<string>(), ignoreCase: true);
        double[] x = file["x"].Numbers();
        string[] names = [.. s_parameterOrder.Where(name => golden["parameters"]![name] is not null)];
        Assert.Equal(names.Length, f.ParameterCount());
        Tensor parameters = Upload(1, [.. names.Select(name => golden["parameters"]![name].Number())]);
        int outputs = (int)golden["outputs"].Number();
        Assert.Equal(outputs, f.OutputColumns(1));
        for (int output = 0; output < outputs; output++)
        {
            double[] values = new double[x.Length], first = new double[x.Length], second = new double[x.Length];
            double[][] byParameter = Zeros(names.Length, x.Length), firstByParameter = Zeros(names.Length, x.Length);
            for (int i = 0; i < x.Length; i++)
            {
                // One point with one tangent of length 1: its image is f', its gradient f''.
                Tensor pre = Upload(2, [x[i], 1]), y = backend.Allocate(2, outputs);
                backend.Activate(f, parameters, pre, 1, y);
                values[i] = Host(y)[output];
                first[i] = Host(y)[outputs + output];
                (double[] ofValue, double[] parametersOfValue) = Backward(f, parameters, pre, output, outputs);
                (double[] ofTangent, double[] parametersOfTangent) = Backward(f, parameters, pre, outputs + output, outputs);
                Assert.Equal(first[i], ofValue[0], 1e-6);
                Assert.Equal(first[i], ofTangent[1], 1e-6);
                second[i] = ofTangent[0];
                for (int p = 0; p < names.Length; p++)
                {
                    byParameter[p][i] = parametersOfValue[p];
                    firstByParameter[p][i] = parametersOfTangent[p];
                }
            }

            GoldenFile.AssertClose(golden["y"]![output].Numbers(), values, tolerance, "value");
            GoldenFile.AssertClose(golden["first"]![output].Numbers(), first, tolerance, "first derivative");
            GoldenFile.AssertClose(golden["second"]![output].Numbers(), second, tolerance, "second derivative");
            for (int p = 0; p < names.Length; p++)
            {
                JsonNode by = golden["by_parameter"]![names[p]]!;
                GoldenFile.AssertClose(by["dy"]![output].Numbers(), byParameter[p], tolerance, $"value by {names[p]}");
                GoldenFile.AssertClose(by["d_first"]![output].Numbers(), firstByParameter[p], tolerance, $"slope by {names[p]}");
            }
        }
    }

    [Fact]
    public void MaxMin_and_its_products_are_the_recorded_ones()
    {
        JsonNode golden = GoldenFile.Load("activations")["maxmin"]!;
        const int Columns = 6;
        double[] x = golden["x"].Numbers(), tangent = golden["tangent"].Numbers();
        int rows = x.Length / Columns;
        Tensor none = backend.Allocate(1, 0), y = backend.Allocate(2 * rows, Columns), below = backend.Allocate(rows, Columns);
        backend.Activate(Activation.MaxMin, none, Upload(2 * rows, [.. x, .. tangent]), rows, y);
        GoldenFile.AssertClose([.. golden["y"].Numbers(), .. golden["jvp"].Numbers()], Host(y), tolerance, "maxmin");
        Tensor slopes = backend.Allocate(rows, Columns / 2), pre = Upload(rows, x), cotangent = Upload(rows, golden["cotangent"].Numbers());
        backend.ActivationSlopes(Activation.MaxMin, none, pre, slopes);
        backend.SlopeVjp(Activation.MaxMin, slopes, cotangent, below);
        GoldenFile.AssertClose(golden["vjp"].Numbers(), Host(below), tolerance, "vjp");
        backend.ActivationBackward(Activation.MaxMin, none, pre, rows, cotangent, below, none);
        GoldenFile.AssertClose(golden["vjp"].Numbers(), Host(below), tolerance, "backward");
        backend.SlopeJvp(Activation.MaxMin, slopes, Upload(rows, tangent), below);
        GoldenFile.AssertClose(golden["jvp"].Numbers(), Host(below), tolerance, "jvp");
    }

    [Fact]
    public void Power_iteration_goes_through_the_recorded_vectors()
    {
        JsonNode golden = GoldenFile.Load("power-iteration");
        double[] start = golden["start_v"].Numbers();
        int columns = start.Length, rows = golden["matrix"]!.AsArray().Count;
        Tensor w = Upload(rows, golden["matrix"].Numbers());
        foreach (JsonNode? result in golden["results"]!.AsArray())
        {
            Tensor u = backend.Allocate(1, rows), v = Upload(1, start), sigma = backend.Allocate(1, 1);
            int iterations = (int)result!["iterations"].Number();
            backend.PowerIterate(w, iterations, 0, u, v, sigma);
            GoldenFile.AssertClose(result["u"].Numbers(), Host(u), tolerance, "u");
            GoldenFile.AssertClose(result["v"].Numbers(), Host(v), tolerance, "v");
            GoldenFile.AssertClose([result["sigma"].Number()], Host(sigma), tolerance, "sigma");
        }

        double largest = golden["singular_values"]![0].Number();
        var scratch = new double[rows * columns];
        backend.Download(w, scratch);
        Assert.InRange(Lipschitz.Layers.InducedNorm.SpectralBound(scratch, rows, columns) / largest, 1 - 1e-7, 1.001);
    }

    private (double[] Pre, double[] Parameters) Backward(Activation f, Tensor parameters, Tensor pre, int one, int outputs)
    {
        var gradient = new double[2 * outputs];
        gradient[one] = 1;
        Tensor preGradient = backend.Allocate(2, 1), parameterGradient = backend.Allocate(1, parameters.Columns);
        backend.ActivationBackward(f, parameters, pre, 1, Upload(2, gradient), preGradient, parameterGradient);
        return (Host(preGradient), Host(parameterGradient));
    }

    private static double[][] Zeros(int count, int length) => [.. Enumerable.Range(0, count).Select(_ => new double[length])];

    private Tensor Upload(int rows, double[] values)
    {
        Tensor tensor = backend.Allocate(rows, values.Length / rows);
        backend.Upload(values, tensor);
        return tensor;
    }

    private double[] Host(Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Download(tensor, values);
        return values;
    }
}

public sealed class GoldenActivationsOnReferenceFloat64() : GoldenActivationTests(ReferenceBackend.Create(Precision.Float64), 1e-13);

public sealed class GoldenActivationsOnReferenceFloat32() : GoldenActivationTests(ReferenceBackend.Create(Precision.Float32), 1e-5);
