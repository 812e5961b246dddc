using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Models;

public class FlowFactoryTests
{
    [Theory]
    [InlineData("resflow", 501_830)]
    [InlineData("idensenet", 504_100)]
    [InlineData("idensenet-lc", 504_180)]
    public void Presets_have_the_numbers_of_trained_scalars_of_the_papers(string preset, long count) =>
        Assert.Equal(count, FlowFactory.Create(Presets.Load(preset), 2, ReferenceBackend.Create(Precision.Float32)).TrainedCount);

    [Fact]
    public void The_best_preset_stays_within_the_papers_number_of_parameters()
    {
        Configuration best = Presets.Load("idensenet-best");
        long reference = FlowFactory.Create(best, 2, ReferenceBackend.Create(Precision.Float32)).TrainedCount + (2 * best.Model.Blocks);
        Assert.InRange(reference, 1, 504_200);
        Assert.InRange(best.Training.Steps, 1, 50_000);
        Assert.Contains("idensenet-best", Presets.Names);
        Assert.Contains("idensenet-best", Presets.NamesOf(PresetFamily.Points));
        Assert.DoesNotContain("idensenet-best", Presets.NamesOf(PresetFamily.Mnist)); // its estimator is for a few dimensions
    }

    // The papers' counts include two never-trained scalars a block, which are not here: 16 blocks, or 52 of them.
    [Theory]
    [InlineData(PresetFamily.Mnist, "resflow", 0, 5_059_917 - 32)]
    [InlineData(PresetFamily.Mnist, "idensenet", 0, 5_023_906 - 32)]
    [InlineData(PresetFamily.Mnist, "idensenet-lc", 0, 5_024_002 - 32)]
    [InlineData(PresetFamily.Mnist, "resflow", 28, 4_811_277 - 32)]
    [InlineData(PresetFamily.Mnist, "idensenet", 28, 4_805_986 - 32)]
    [InlineData(PresetFamily.Mnist, "idensenet-lc", 28, 4_806_082 - 32)]
    [InlineData(PresetFamily.Cifar10, "resflow", 0, 8_730_441 - 32)]
    [InlineData(PresetFamily.Cifar10, "idensenet", 0, 8_761_278 - 32)]
    [InlineData(PresetFamily.Cifar10, "idensenet-lc", 0, 8_761_374 - 32)]
    [InlineData(PresetFamily.Cifar10, "resflow-16", 0, 25_174_233 - 104)]
    [InlineData(PresetFamily.Cifar10, "idensenet-clipswish-16", 0, 24_894_690 - 104)]
    public void Picture_presets_have_the_numbers_of_trained_scalars_of_the_papers(PresetFamily family, string preset, int size, long count)
    {
        Configuration configuration = Presets.Load(preset, family);
        ImageSettings image = configuration.Model.Image!;
        image = size == 0 ? image : image with { Height = size, Width = size };
        configuration = configuration with { Model = configuration.Model with { Image = image } };
        using var backend = new ShapeBackend();
        Assert.Equal(count, FlowFactory.Create(configuration, image.Shape.Count, backend).TrainedCount);
    }

    [Fact]
    public void Names_of_parameters_are_unique_and_begin_with_their_block()
    {
        Flow flow = FlowFactory.Create(Golden.GoldenModel.Configuration("idensenet-lc-small"), 3, ReferenceBackend.Create(Precision.Float32));
        string[] names = [.. flow.Parameters.Select(parameter => parameter.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(names, name => Assert.StartsWith("blocks.", name, StringComparison.Ordinal));
        Assert.Equal(["blocks.0", "blocks.1"], flow.Bijections.Select(b => b.Name));
    }

    [Theory]
    [InlineData("idensenet-lc-small", 3)]
    [InlineData("resflow-small", 3)]
    public void A_new_flow_is_invertible_and_the_same_for_the_same_seed(string name, int width)
    {
        IBackend backend = ReferenceBackend.Create(Precision.Float64);
        Configuration configuration = Golden.GoldenModel.Configuration(name);
        double[] x = [1, 2, 3, -4, 5, 0.5];
        Flow first = FlowFactory.Create(configuration, width, backend), second = FlowFactory.Create(configuration, width, backend);
        Flow other = FlowFactory.Create(configuration with { Seed = 9 }, width, backend);
        Assert.Equal(first.Forward(x), second.Forward(x));
        Assert.NotEqual(first.Forward(x), other.Forward(x));
        Assert.All(first.Blocks, block => Assert.InRange(block.BranchBound, 0, 0.9));
        double[] back = first.Inverse(first.Forward(x), 1e-9).Points;
        Assert.All(x.Zip(back), pair => Assert.Equal(pair.First, pair.Second, 1e-8));
    }

    [Fact]
    public void A_doubled_pair_activation_of_odd_width_is_refused()
    {
        Configuration configuration = Golden.GoldenModel.Configuration("resflow-small");
        configuration = configuration with { Model = configuration.Model with { Activation = Activation.MaxMin } };
        Assert.Throws<ShapeMismatchException>(() => FlowFactory.Create(configuration, 3, ReferenceBackend.Create(Precision.Float32)));
    }
}
