using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Core.Tests.Flows;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Models;

/// <summary>Whole flows on tiny pictures, in double: log-determinants against full Jacobians, gradients against central differences, round trips.</summary>
public class ImageFlowTests
{
    private const double Step = 1e-6;

    public static TheoryData<string> Names => ["dense", "dense, CLipSwish, three scales", "dense, factored out", "residual", "residual, squeezed first"];

    [Theory, MemberData(nameof(Names))]
    public void The_log_determinant_is_that_of_the_full_Jacobian(string name) =>
        BijectionTests.CheckLogDet(Create(name), Pictures(name, 2), Step);

    [Theory, MemberData(nameof(Names))]
    public void Gradients_are_central_differences(string name) =>
        BijectionTests.CheckGradients(Create(name), Pictures(name, 2), new ExactTraceSeries(3));

    [Theory, MemberData(nameof(Names))]
    public void A_round_trip_stays_within_the_reported_error(string name)
    {
        Flow flow = Create(name);
        double[] x = Pictures(name, 10);
        InverseReport report = flow.Inverse(flow.Forward(x), 1e-9);
        for (int row = 0; row < 10; row++)
        {
            Assert.InRange(BijectionTests.Distance(x, report.Points, row, flow.Width), 0, report.ErrorBounds[row] + 1e-10);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Latents_that_left_early_keep_their_columns(string name)
    {
        Flow flow = Create(name);
        double[] x = Pictures(name, 1);
        (double[] z, _) = BijectionTests.Pass(flow, new ExactTraceSeries(2), x);
        Differences.Close(z, flow.Forward(x), 1e-13);
        Assert.Equal(name.Contains("factored", StringComparison.Ordinal), flow.Bijections[^1].Width < flow.Width);
    }

    [Fact]
    public void A_shape_that_cannot_be_squeezed_and_one_that_is_not_the_datas_are_named()
    {
        Configuration odd = Configure("dense") with { };
        odd = odd with { Model = odd.Model with { Image = odd.Model.Image! with { Height = 3, Width = 3 } } };
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Assert.Contains("multiples of 2", Assert.Throws<ConfigurationException>(() => FlowFactory.Create(odd, 9, backend)).Message, StringComparison.Ordinal);
        Assert.Contains("4x4x1", Assert.Throws<ConfigurationException>(() => FlowFactory.Create(Configure("dense"), 15, backend)).Message, StringComparison.Ordinal);
    }

    private static Flow Create(string name)
    {
        Configuration configuration = Configure(name);
        IBackend backend = BijectionTable.Backend;
        Flow flow = FlowFactory.Create(configuration, configuration.Model.Image!.Shape.Count, backend);
        var random = new Random(8);
        foreach (Parameter parameter in flow.Parameters.Where(p => p.Role is not (ParameterRole.Weight or ParameterRole.SingularVector)))
        {
            backend.Upload(Differences.Normal(random, parameter.Value.Count), parameter.Value);
        }

        flow.UpdateNorms(300);
        flow.Initialise(Pictures(name, 10));
        return flow;
    }

    private static Configuration Configure(string name)
    {
        bool isDense = name.StartsWith("dense", StringComparison.Ordinal);
        Configuration preset = Presets.Load(isDense ? "idensenet-lc" : "resflow", PresetFamily.Mnist);
        ImageSettings image = preset.Model.Image! with
        {
            Height = 4,
            Width = 4,
            Channels = 1,
            Logit = 0.05,
            Blocks = [1, 1],
            FullyConnected = 1,
            FullyConnectedWidth = 3,
            FullyConnectedDepth = 1,
            FullyConnectedGrowth = 2,
            FullyConnectedHidden = [3],
        };
        image = name switch
        {
            "dense, CLipSwish, three scales" => image with { Blocks = [1, 1, 1] },
            "dense, factored out" => image with { FactorOut = true },
            "residual, squeezed first" => image with { FirstSqueezes = 1, Blocks = [2] },
            _ => image,
        };
        return preset with
        {
            Model = preset.Model with
            {
                Depth = 2,
                Growth = 2,
                Hidden = [3, 2],
                Image = image,
                Activation = name.Contains("CLipSwish", StringComparison.Ordinal) ? Activation.CLipSwish : Activation.LipSwish,
            },
        };
    }

    private static double[] Pictures(string name, int count)
    {
        var random = new Random(name.Length);
        return [.. Enumerable.Range(0, 16 * count).Select(_ => 0.05 + (0.9 * random.NextDouble()))];
    }
}
