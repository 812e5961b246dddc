using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Golden;

/// <summary>A whole flow on pictures against an independent implementation on PyTorch (make_golden_image.py).</summary>
public abstract class GoldenImageTests(IBackend backend, double tolerance)
{
    private const int Batch = 3;

    private static readonly JsonNode s_golden = GoldenFile.Load("image-small");

    [Fact]
    public void The_exact_log_determinant_gives_the_recorded_latents_densities_and_gradients() =>
        Check(new ExactDeterminant(), "log_det", "exact");

    [Fact]
    public void The_roulette_gives_the_recorded_values_and_gradients_for_given_terms_and_probes()
    {
        double[] counts = s_golden["counts"].Numbers();
        double[][] probes = [.. Enumerable.Range(0, 3).Select(b => s_golden["eps"]![b].Numbers())];
        Flow flow = Create();
        int[] numbers = new int[flow.Bijections.Count];
        int block = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = flow.Bijections[i] is ResidualBlock ? block++ : -1;
        }

        var length = new GivenLength((_, b) => 2 + (int)counts[numbers[b]], PoissonWeight);
        Check(new GivenProbes(new SeriesEstimator(length, 2), (_, b) => probes[numbers[b]]), "roulette", "surrogate");
    }

    private static double PoissonWeight(int k)
    {
        double term = Math.Exp(-2), below = 0;
        for (int i = 0; i < k - 2; i++)
        {
            below += term;
            term *= 2.0 / (i + 1);
        }

        return 1 / (1 - below);
    }

    private Flow Create()
    {
        Configuration preset = Presets.Load("idensenet-lc", PresetFamily.Mnist);
        var image = new ImageSettings
        {
            Height = 4,
            Width = 4,
            Channels = 1,
            Logit = 0.05,
            Blocks = [1, 1],
            FullyConnected = 1,
            FullyConnectedWidth = 4,
            FullyConnectedDepth = 1,
            FullyConnectedGrowth = 3,
        };
        Configuration configuration = preset with
        {
            Model = preset.Model with { Depth = 2, Growth = 3, Coefficient = 0.9, Image = image },
        };
        Flow flow = FlowFactory.Create(configuration, image.Shape.Count, backend);
        foreach (Parameter parameter in flow.Parameters)
        {
            backend.Upload(Expected(parameter, s_golden["parameters"]!), parameter.Value);
        }

        flow.Prepare();
        return flow;
    }

    private void Check(LogDetEstimator estimator, string logDet, string gradients)
    {
        Flow flow = Create();
        var workspace = new Workspace(backend);
        Tensor x = workspace.Rent(Batch, flow.Width);
        backend.Upload(s_golden["x"].Numbers(), x);
        FlowPass pass = flow.CreatePass(estimator);
        pass.Forward(x, new DrawAddress(0, 0, 0, 0), workspace);
        GoldenFile.AssertClose(s_golden["z"].Numbers(), Host(pass.Output), tolerance, "z");
        GoldenFile.AssertClose(s_golden[logDet].Numbers(), Host(pass.LogDet), tolerance, logDet);

        Tensor gradient = backend.Allocate(1, flow.Trained.Values.Columns), xGradient = workspace.Rent(Batch, flow.Width);
        Tensor outputGradient = workspace.Rent(Batch, flow.Width), logDetGradient = workspace.Rent(Batch, 1);
        backend.Axpby(1.0 / Batch, pass.Output, 0, outputGradient);
        backend.Fill(logDetGradient, -1.0 / Batch);
        pass.Backward(outputGradient, logDetGradient, xGradient, gradient, workspace);
        flow.PullBack(gradient);
        JsonNode expected = s_golden["gradients"]![gradients]!;
        GoldenFile.AssertClose(expected["x"].Numbers(), Host(xGradient), tolerance, "gradient of x");
        foreach (Parameter parameter in flow.Trained.Parameters)
        {
            GoldenFile.AssertClose(Expected(parameter, expected), Host(parameter.In(gradient)), tolerance, $"gradient of {parameter.Name}");
        }
    }

    private static double[] Expected(Parameter parameter, JsonNode parameters) =>
        (parameter.Role == ParameterRole.SingularVector ? s_golden["vectors"]! : parameters)[parameter.Name].Numbers();

    private double[] Host(Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Download(tensor, values);
        return values;
    }
}

public sealed class GoldenImageOnReferenceFloat64() : GoldenImageTests(ReferenceBackend.Create(Precision.Float64), 1e-11);

public sealed class GoldenImageOnReferenceFloat32() : GoldenImageTests(ReferenceBackend.Create(Precision.Float32), 1e-5);
