using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Golden;

/// <summary>Outputs, Jacobians, estimates, gradients and optimiser steps against an independent implementation on PyTorch.</summary>
public abstract class GoldenFlowTests(IBackend backend, double tolerance)
{
    public static TheoryData<string> Models => ["idensenet-lc-small", "resflow-small"];

    [Theory, MemberData(nameof(Models))]
    public void Blocks_give_the_recorded_outputs_and_exact_log_determinants(string name)
    {
        JsonNode golden = GoldenFile.Load(name);
        (Flow flow, Tensor x, Workspace workspace) = Load(name, golden);
        FlowPass pass = flow.CreatePass(new ExactDeterminant());
        pass.Forward(x, new DrawAddress(0, 0, 0, 0), workspace);
        Check(golden["output"]!["z"], pass.Output, "z");
        var logDet = new double[GoldenModel.Batch];
        for (int b = 0; b < 2; b++)
        {
            double[] block = golden["output"]!["blocks"]![b]!["logdet"].Numbers();
            logDet = [.. logDet.Zip(block, (sum, value) => sum + value)];
        }

        GoldenFile.AssertClose(logDet, Host(pass.LogDet), tolerance, "log-determinant");
        Tensor logProb = workspace.Rent(GoldenModel.Batch, 1);
        pass.LogProb(logProb);
        Check(golden["output"]!["log_p"], logProb, "log p");
        Assert.Equal(
            golden["output"]!["log_p"].Numbers(), flow.LogProb(golden["input"]!["x"].Numbers(), new ExactDeterminant()).Values,
            (a, b) => Math.Abs(a - b) <= tolerance * 10);
    }

    [Theory, MemberData(nameof(Models))]
    public void Branches_give_the_recorded_values_and_Jacobians(string name)
    {
        JsonNode golden = GoldenFile.Load(name);
        (Flow flow, Tensor x, Workspace workspace) = Load(name, golden);
        int block = 0;
        foreach (ResidualBlock residual in flow.Blocks)
        {
            JsonNode expected = golden["output"]!["blocks"]![block++]!;
            Linearization branch = residual.Branch.CreateLinearization();
            branch.Evaluate(x, GoldenModel.Batch, workspace);
            Check(expected["g"], branch.Value, "g");
            branch.PrepareProducts(workspace);
            double[] jacobian = expected["jacobian"].Numbers();
            for (int k = 0; k < 2; k++)
            {
                Tensor unit = workspace.Rent(GoldenModel.Batch, 2), product = workspace.Rent(GoldenModel.Batch, 2);
                backend.Fill(unit, 0);
                backend.Fill(unit.ColumnRange(k, 1), 1);
                branch.Jvp(unit, product, workspace);
                GoldenFile.AssertClose(
                    [.. Enumerable.Range(0, GoldenModel.Batch).SelectMany(i => new[] { jacobian[(4 * i) + k], jacobian[(4 * i) + 2 + k] })],
                    Host(product), tolerance, "column of the Jacobian");
                branch.Vjp(unit, product, workspace);
                GoldenFile.AssertClose(
                    [.. Enumerable.Range(0, GoldenModel.Batch).SelectMany(i => new[] { jacobian[(4 * i) + (2 * k)], jacobian[(4 * i) + (2 * k) + 1] })],
                    Host(product), tolerance, "row of the Jacobian");
            }

            Tensor y = workspace.Rent(GoldenModel.Batch, 2);
            residual.Forward(x, y, workspace);
            Check(expected["y"], y, "y");
            x = y;
        }
    }

    [Theory]
    [InlineData("idensenet-lc-small", false)]
    [InlineData("idensenet-lc-small", true)]
    [InlineData("resflow-small", false)]
    [InlineData("resflow-small", true)]
    public void The_roulette_gives_the_recorded_value_and_gradients_for_given_terms_and_probes(string name, bool sweep)
    {
        JsonNode golden = GoldenFile.Load(name);
        (Flow flow, Tensor x, Workspace workspace) = Load(name, golden);
        FlowPass pass = flow.CreatePass(Estimator(golden["input"]!, sweep));
        pass.Forward(x, new DrawAddress(0, 0, 0, 0), workspace);
        var roulette = new double[GoldenModel.Batch];
        for (int b = 0; b < 2; b++)
        {
            roulette = [.. roulette.Zip(golden["output"]!["blocks"]![b]!["roulette"].Numbers(), (sum, value) => sum + value)];
        }

        GoldenFile.AssertClose(roulette, Host(pass.LogDet), tolerance, "roulette value");
        CheckGradients(flow, pass, golden["gradients"]!["loss_surrogate"]!, workspace);
    }

    [Theory, MemberData(nameof(Models))]
    public void The_exact_log_determinant_gives_the_recorded_gradients(string name)
    {
        JsonNode golden = GoldenFile.Load(name);
        (Flow flow, Tensor x, Workspace workspace) = Load(name, golden);
        FlowPass pass = flow.CreatePass(new ExactDeterminant());
        pass.Forward(x, new DrawAddress(0, 0, 0, 0), workspace);
        CheckGradients(flow, pass, golden["gradients"]!["loss_exact"]!, workspace);
    }

    [Theory, MemberData(nameof(Models))]
    public void Three_Adam_steps_end_at_the_recorded_parameters(string name)
    {
        JsonNode golden = GoldenFile.Load(name);
        (Flow flow, _, Workspace workspace) = Load(name, golden);
        Tensor values = flow.Trained.Values;
        Tensor first = backend.Allocate(1, values.Columns), second = backend.Allocate(1, values.Columns);
        Tensor average = backend.Allocate(1, values.Columns), norm = backend.Allocate(1, 1), gradient = backend.Allocate(1, values.Columns);
        JsonNode adam = golden["training"]!["adam"]!;
        for (int step = 0; step < 3; step++)
        {
            JsonNode data = golden["training"]!["steps"]![step]!;
            workspace.Reset();
            Tensor x = workspace.Rent(GoldenModel.Batch, 2);
            backend.Upload(data["x"].Numbers(), x);
            FlowPass pass = flow.CreatePass(Estimator(data, sweep: step == 1));
            pass.Forward(x, new DrawAddress(0, 0, 0, 0), workspace);
            Tensor logProb = workspace.Rent(GoldenModel.Batch, 1);
            pass.LogProb(logProb);
            GoldenFile.AssertClose([data["before"]!["loss_roulette"].Number()], [-Host(logProb).Average()], tolerance, "loss");
            backend.Fill(gradient, 0);
            pass.BackwardNegativeLogLikelihood(1.0 / GoldenModel.Batch, gradient, workspace);
            flow.PullBack(gradient);
            backend.Norm(gradient, norm);
            backend.Adam(
                values, gradient, first, second, average, norm, double.PositiveInfinity,
                new AdamStep(
                    step + 1, adam["learning_rate"].Number(), adam["beta1"].Number(), adam["beta2"].Number(), adam["epsilon"].Number(), 0));
            flow.UpdateNorms(5);
            foreach (Parameter parameter in flow.Parameters)
            {
                GoldenFile.AssertClose(
                    GoldenModel.Expected(parameter, data["parameters"]!, data["vectors"]), Host(parameter.Value), tolerance,
                    $"{parameter.Name} after step {step + 1}");
            }
        }
    }

    private static GivenProbes Estimator(JsonNode data, bool sweep)
    {
        double[] n = data["n"].Numbers();
        double[][] probes = [data["eps"]![0].Numbers(), data["eps"]![1].Numbers()];
        var length = new GivenLength((_, block) => 2 + (int)n[block]);

        // Two equal probes keep the estimator from materialising the Jacobian without changing the estimate.
        return sweep
            ? new GivenProbes(new SeriesEstimator(length, 2), (_, block) => probes[block])
            : new GivenProbes(new SeriesEstimator(length), (_, block) => probes[block]);
    }

    private (Flow Flow, Tensor X, Workspace Workspace) Load(string name, JsonNode golden)
    {
        Flow flow = GoldenModel.Create(name, golden["parameters"]!, golden["vectors"]!, backend);
        var workspace = new Workspace(backend);
        Tensor x = workspace.Rent(GoldenModel.Batch, 2);
        backend.Upload(golden["input"]!["x"].Numbers(), x);
        return (flow, x, workspace);
    }

    private void CheckGradients(Flow flow, FlowPass pass, JsonNode expected, Workspace workspace)
    {
        Tensor gradient = backend.Allocate(1, flow.Trained.Values.Columns);
        Tensor outputGradient = workspace.Rent(GoldenModel.Batch, 2), xGradient = workspace.Rent(GoldenModel.Batch, 2);
        Tensor logDetGradient = workspace.Rent(GoldenModel.Batch, 1);
        backend.Axpby(1.0 / GoldenModel.Batch, pass.Output, 0, outputGradient);
        backend.Fill(logDetGradient, -1.0 / GoldenModel.Batch);
        pass.Backward(outputGradient, logDetGradient, xGradient, gradient, workspace);
        Check(expected["x"], xGradient, "gradient of x");
        flow.PullBack(gradient);
        foreach (Parameter parameter in flow.Trained.Parameters)
        {
            GoldenFile.AssertClose(
                GoldenModel.Expected(parameter, expected, null), Host(parameter.In(gradient)), tolerance, $"gradient of {parameter.Name}");
        }
    }

    private void Check(JsonNode? expected, Tensor actual, string what) =>
        GoldenFile.AssertClose(expected.Numbers(), Host(actual), tolerance, what);

    private double[] Host(Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Download(tensor, values);
        return values;
    }
}

public sealed class GoldenOnReferenceFloat64() : GoldenFlowTests(ReferenceBackend.Create(Precision.Float64), 1e-11);

public sealed class GoldenOnReferenceFloat32() : GoldenFlowTests(ReferenceBackend.Create(Precision.Float32), 1e-5);
