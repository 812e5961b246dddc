using Lipschitz.Backends;
using Lipschitz.Models;
using Lipschitz.Names;

namespace Lipschitz.Core.Tests.Models;

public class ConfigurationJsonTests
{
    public static TheoryData<string> PresetNames => [.. Presets.Names];

    [Theory, MemberData(nameof(PresetNames))]
    public void Presets_survive_being_written_and_read(string name)
    {
        Configuration preset = Presets.Load(name);
        Assert.Equal(name, preset.Name);
        string text = ConfigurationJson.Write(preset);
        Assert.Equal(text, ConfigurationJson.Write(ConfigurationJson.Parse(text, "test")));
    }

    [Fact]
    public void Every_setting_survives()
    {
        Configuration all = ConfigurationJson.Override(
            Presets.Load("quick"),
            [
                "seed=18446744073709551615", "data=a.csv", "learningRate=0.00012345678901234567", "hidden=1,2,3", "activation=MaxMin",
                "steps=9007199254740993", "logDet.method=Truncated", "logDet.probe=Rademacher", "evaluation.logDet.distribution=Poisson",
            ]);
        Configuration read = ConfigurationJson.Parse(ConfigurationJson.Write(all), "test");
        Assert.Equal(all with { Model = read.Model }, read);
        Assert.Equal([1, 2, 3], read.Model.Hidden);
        Assert.Equal(all.Model with { Hidden = [] }, read.Model with { Hidden = [] }, (a, b) => a!.ToString() == b!.ToString());
        Assert.Equal((ulong.MaxValue, 9007199254740993L), (read.Seed, read.Training.Steps));
    }

    [Fact]
    public void Single_values_are_replaced_by_their_full_path_or_last_part()
    {
        Configuration preset = Presets.Load("resflow");
        Configuration changed = ConfigurationJson.Override(
            preset, ["training.learningRate=0.25", "steps=7", "hidden=64,32", "activation=CLipSwish", "actNorm=true", "data=circles"]);
        Assert.Equal(0.25, changed.Training.LearningRate);
        Assert.Equal(7, changed.Training.Steps);
        Assert.Equal([64, 32], changed.Model.Hidden);
        Assert.Equal(Activation.CLipSwish, changed.Model.Activation);
        Assert.True(changed.Model.ActNorm);
        Assert.Equal("circles", changed.Data);
        Assert.Equal([8], ConfigurationJson.Override(preset, ["hidden=[8]"]).Model.Hidden);
        Assert.Equal([8], ConfigurationJson.Override(preset, ["model.hidden=8"]).Model.Hidden);
        Assert.Empty(ConfigurationJson.Override(preset, ["hidden=[]"]).Model.Hidden);
        Assert.Equal("a=b", ConfigurationJson.Override(preset, ["data=a=b"]).Data);
        Assert.Equal([128, 128, 128, 128], preset.Model.Hidden);
    }

    [Fact]
    public void A_short_key_that_training_and_evaluation_share_means_training()
    {
        Configuration preset = Presets.Load("idensenet");
        Configuration changed = ConfigurationJson.Override(preset, ["powerIterations=9", "method=Truncated"]);
        Assert.Equal((9, preset.Evaluation.PowerIterations), (changed.Training.PowerIterations, changed.Evaluation.PowerIterations));
        Assert.Equal((LogDetMethod.Truncated, LogDetMethod.Exact), (changed.LogDet.Method, changed.Evaluation.LogDet.Method));
        changed = ConfigurationJson.Override(preset, ["evaluation.powerIterations=3", "evaluation.logDet.method=Roulette"]);
        Assert.Equal((preset.Training.PowerIterations, 3), (changed.Training.PowerIterations, changed.Evaluation.PowerIterations));
        Assert.Equal((LogDetMethod.Roulette, LogDetMethod.Roulette), (changed.LogDet.Method, changed.Evaluation.LogDet.Method));
    }

    [Theory]
    [InlineData("learningrat=1", "learningRate")]
    [InlineData("training.lerningRate=1", "learningRate")]
    [InlineData("Blocks=1", "blocks")]
    [InlineData("model=1", "unknown key")]
    [InlineData("batch", "key=value")]
    [InlineData("=3", "key=value")]
    [InlineData("batch=abc", "batch")]
    [InlineData("batch=", "batch")]
    [InlineData("batch=null", "batch")]
    [InlineData("batch=1.5", "batch")]
    [InlineData("batch=99999999999", "batch")]
    [InlineData("batch=[1]", "batch")]
    [InlineData("steps={}", "steps")]
    [InlineData("hidden=1,x", "hidden")]
    [InlineData("hidden=1.5", "hidden")]
    [InlineData("actNorm=yes", "actNorm")]
    [InlineData("activation=LipSwich", "LipSwish")]
    [InlineData("activation=3", "LipSwish")]
    [InlineData("activation=ReLU, Tanh", "LipSwish")]
    [InlineData("batch=0", "model", "batch")]
    [InlineData("blocks=0", "blocks")]
    [InlineData("coefficient=-1", "coefficient")]
    [InlineData("learningRate=0", "learningRate")]
    [InlineData("learningRate=1e999", "learningRate")]
    [InlineData("learningRate=NaN", "learningRate")]
    [InlineData("beta1=1", "beta1")]
    [InlineData("muonRate=-1", "muonRate")]
    [InlineData("muonRate=1e999", "muonRate")]
    [InlineData("muonMomentum=1", "muonMomentum")]
    [InlineData("holdConcatenation=-1", "holdConcatenation")]
    [InlineData("powerTolerance=-1", "powerTolerance")]
    [InlineData("logDet.parameter=2", "logDet")]
    [InlineData("probes=0", "logDet")]
    [InlineData("probes=1000", "logDet")]
    [InlineData("evaluation.logDet.exactTerms=-1", "logDet")]
    [InlineData("evaluation.points=1", "points")]
    public void A_wrong_assignment_is_refused_in_one_line_that_names_it(string assignment, params string[] named)
    {
        Configuration preset = Presets.Load("idensenet") with { LogDet = Presets.Load("idensenet").LogDet };
        preset = ConfigurationJson.Override(preset, ["evaluation.logDet.method=Roulette"]);
        ConfigurationException failure = Assert.Throws<ConfigurationException>(() => ConfigurationJson.Override(preset, [assignment]));
        Assert.Contains(named[^1], failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{ \"name\": \"x\", \"mode\": 1 }")]
    public void A_text_that_is_no_configuration_is_refused_with_its_source(string text)
    {
        ConfigurationException failure = Assert.Throws<ConfigurationException>(() => ConfigurationJson.Parse(text, "some.json"));
        Assert.StartsWith("some.json", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public void A_null_inside_a_configuration_is_refused()
    {
        string text = ConfigurationJson.Write(Presets.Load("quick"));
        foreach (string part in new[] { "model", "logDet", "training", "evaluation", "name" })
        {
            System.Text.Json.Nodes.JsonObject root = System.Text.Json.Nodes.JsonNode.Parse(text)!.AsObject();
            root[part] = null;
            Assert.Throws<ConfigurationException>(() => ConfigurationJson.Parse(root.ToJsonString(), "test"));
        }
    }

    [Fact]
    public void An_unknown_preset_is_answered_with_the_nearest()
    {
        UnknownNameException failure = Assert.Throws<UnknownNameException>(() => Presets.Load("idensnet"));
        Assert.Equal("idensenet", failure.Suggestion);
    }
}
