using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>The closed set of rules by which a certificate argues; each re-proves its claim from the weights.</summary>
internal sealed class Rules(ModelFile model, Architecture architecture)
{
    private const double LargestFactor = 1e30; // of e1, e2, so that no product of them over- or underflows
    private readonly ActivationConstant _phi = architecture.Activation;

    /// <summary>One bijection of the chain: an ActNorm or a residual block.</summary>
    public CheckedPart Part(JsonElement element, string path, string name)
    {
        bool isNorm = Architecture.IsNorm(name);
        string[] fields = ["name", "rule", "lipschitz", "inverse", .. isNorm ? Array.Empty<string>() : ["branch"]];
        Fields part = Fields.Exactly(element, path, fields);
        part.MustBe("name", name);
        part.MustBe("rule", isNorm ? "scale" : "residual");
        if (isNorm)
        {
            double[] logScale = model.Matrix($"{name}.logScale", 1, architecture.Width);
            return new(name, part.Claim("lipschitz", Outward.ExpUp(logScale.Max())), part.Claim("inverse", Outward.ExpUp(-logScale.Min())));
        }

        double branch = Branch(part.Element("branch"), part.PathOf("branch"), int.Parse(name["blocks.".Length..]));
        Refusal.Unless(branch < 1, $"{part.PathOf("branch")}.lipschitz", $"{branch:R} is not below 1");
        double inverse = Outward.DivideUp(1, Outward.SubtractDown(1, branch));
        return new(name, part.Claim("lipschitz", Outward.AddUp(1, branch)), part.Claim("inverse", inverse));
    }

    private double Branch(JsonElement element, string path, int block)
    {
        string rule = Fields.AtLeast(element, path).Text("rule");
        return rule switch
        {
            "dense-net" when architecture.IsDenseNet => DenseNet(element, path, block),
            "product" when !architecture.IsDenseNet => Product(element, path, block),
            "multipliers" => WholeBranch(element, path, block),
            _ => throw new Refusal($"{path}.rule", $"no rule '{rule}' for a {architecture.Branch} branch"),
        };
    }

    // Layers h <- [e1 h; e2 phi(N h + b)] with N = E D^-1, then E D^-1 h + b: Lip <= s_final prod sqrt(e1^2 + (e2 L s)^2).
    private double DenseNet(JsonElement element, string path, int block)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers", "final");
        double phi = Constant(branch);
        JsonElement[] layers = branch.List("layers", architecture.Layers[block].Length - 1);
        double[] divisors = [.. Enumerable.Repeat(1.0, architecture.Width)]; // of the columns of the next layer
        double product = 1;
        for (int i = 0; i < layers.Length; i++)
        {
            Fields layer = Fields.Exactly(layers[i], $"{branch.PathOf("layers")}[{i}]", "rule", "e1", "e2", "weight");
            layer.MustBe("rule", "concatenation");
            double s = Norm(layer.Element("weight"), layer.PathOf("weight"), block, i, divisors);
            double e1 = Factor(layer, "e1"), e2 = Factor(layer, "e2");
            double right = Outward.MultiplyUp(e2, Outward.MultiplyUp(phi, s));
            double square = Outward.AddUp(Outward.MultiplyUp(e1, e1), Outward.MultiplyUp(right, right));
            product = Outward.MultiplyUp(product, Outward.SqrtUp(square));
            divisors = [.. divisors.Select(d => d * e1), .. Enumerable.Repeat(e2, _phi.OutputColumns(architecture.Layers[block][i].Rows))];
        }

        double final = Norm(branch.Element("final"), branch.PathOf("final"), block, layers.Length, divisors);
        return branch.Claim("lipschitz", Outward.MultiplyUp(product, final));
    }

    // phi, then a linear layer, in turn: constants multiply.
    private double Product(JsonElement element, string path, int block)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers");
        double phi = Constant(branch), product = 1;
        JsonElement[] layers = branch.List("layers", architecture.Layers[block].Length);
        for (int i = 0; i < layers.Length; i++)
        {
            double[] ones = [.. Enumerable.Repeat(1.0, architecture.Layers[block][i].Columns)];
            double s = Norm(layers[i], $"{branch.PathOf("layers")}[{i}]", block, i, ones);
            product = Outward.MultiplyUp(product, Outward.MultiplyUp(phi, s));
        }

        return branch.Claim("lipschitz", product);
    }

    // A bound of the whole branch from the slopes of its activation, see Multipliers.
    private double WholeBranch(JsonElement element, string path, int block)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers", "multipliers");
        Fields activation = Activation(branch, "slopes", "least", "largest");
        Refusal.Unless(_phi.Slopes is not null, activation.PathOf("name"), "has no slopes");
        activation.MustBe("least", _phi.Slopes!.Value.Least);
        activation.MustBe("largest", _phi.Slopes.Value.Largest);
        JsonElement[] layers = branch.List("layers", architecture.Layers[block].Length);
        var stages = new List<Stage>();
        int d = architecture.Width, start = 0;
        if (!architecture.IsDenseNet)
        {
            double[] identity = [.. Enumerable.Range(0, d * d).Select(k => k % (d + 1) == 0 ? 1.0 : 0)];
            stages.Add(new Stage(identity, d, d, 0)); // the activation before the first layer
            start = d;
        }

        for (int i = 0; i < layers.Length; i++)
        {
            Fields weight = Fields.Exactly(layers[i], $"{branch.PathOf("layers")}[{i}]", "rule", "name", "shape", "sha256");
            (_, int rows, int columns) = architecture.Layers[block][i];
            stages.Add(new Stage(Matrix(weight, "weight", block, i), rows, columns, start));
            start += architecture.IsDenseNet ? 0 : columns;
        }

        double bound = branch.Positive("lipschitz");
        bool proven = new Multipliers(d, _phi).Prove(stages, branch.Numbers("multipliers"), bound);
        return proven ? bound : throw new Refusal(branch.PathOf("multipliers"), $"do not prove {bound:R}");
    }

    private double Constant(Fields branch)
    {
        Activation(branch, "table", "lipschitz").MustBe("lipschitz", _phi.Lipschitz);
        return _phi.Lipschitz;
    }

    private Fields Activation(Fields branch, string rule, params string[] numbers)
    {
        Fields activation = branch.Object("activation", ["rule", "name", .. numbers]);
        activation.MustBe("rule", rule);
        activation.MustBe("name", _phi.Name);
        return activation;
    }

    private static double Factor(Fields layer, string name) => layer.Positive(name) is >= 1 / LargestFactor and <= LargestFactor and double factor
        ? factor
        : throw new Refusal(layer.PathOf(name), "out of range");

    private double[] Matrix(Fields weight, string rule, int block, int layer)
    {
        weight.MustBe("rule", rule);
        (string name, int rows, int columns) = architecture.Layers[block][layer];
        weight.MustBe("name", name);
        weight.MustBe("shape", [rows, columns]);
        weight.MustBe("sha256", model.DigestOf(name));
        return model.Matrix(name, rows, columns);
    }

    // The claim |E D^-1|_2 <= bound about one effective weight E, D the diagonal of the column divisors.
    private double Norm(JsonElement element, string path, int block, int layer, double[] divisors)
    {
        Fields weight = Fields.Exactly(element, path, "rule", "name", "shape", "sha256", "bound");
        double bound = weight.Positive("bound");
        (_, int rows, int columns) = architecture.Layers[block][layer];
        double[] matrix = [.. Matrix(weight, "dense-chol", block, layer).Select((w, k) => w / divisors[k % columns])];
        Refusal.Unless(divisors.All(d => d is > 1e-200 and < 1e200), path, "the factors of its columns are out of range");

        // Each divisor is a product of at most layer + 1 numbers; one more rounding for the division; generous by a factor of two.
        bool proven = VerifiedCholesky.ProvesNorm(matrix, rows, columns, Outward.Gamma(2L * (layer + 3)), bound);
        return proven ? bound : throw new Refusal(weight.PathOf("bound"), $"{bound:R} is not proven to bound the norm of the weight");
    }
}
