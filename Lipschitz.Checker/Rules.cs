using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>The closed set of rules by which a certificate argues; each re-proves its claim from the weights.</summary>
internal sealed class Rules(ModelFile model, Architecture architecture)
{
    private const double LargestFactor = 1e30; // of e1, e2, so that no product of them over- or underflows
    private readonly ActivationConstant _phi = architecture.Activation;

    /// <summary>One bijection of the chain: an ActNorm or a residual block.</summary>
    public (double Lipschitz, double Inverse) Part(JsonElement element, string path, string name)
    {
        bool isNorm = name.StartsWith("norms.", StringComparison.Ordinal);
        string[] fields = ["name", "rule", "lipschitz", "inverse", .. isNorm ? Array.Empty<string>() : ["branch"]];
        Fields part = Fields.Exactly(element, path, fields);
        part.MustBe("name", name);
        part.MustBe("rule", isNorm ? "scale" : "residual");
        if (isNorm)
        {
            double[] logScale = model.Matrix($"{name}.logScale", 1, architecture.Width);
            return (part.Claim("lipschitz", Outward.ExpUp(logScale.Max())), part.Claim("inverse", Outward.ExpUp(-logScale.Min())));
        }

        double branch = Branch(part.Element("branch"), part.PathOf("branch"), int.Parse(name["blocks.".Length..]));
        Refusal.Unless(branch < 1, $"{part.PathOf("branch")}.lipschitz", $"{branch:R} is not below 1");
        double lipschitz = part.Claim("lipschitz", Outward.AddUp(1, branch));
        return (lipschitz, part.Claim("inverse", Outward.DivideUp(1, Outward.SubtractDown(1, branch))));
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
        Fields activation = branch.Object("activation", "rule", "name", "least", "largest");
        activation.MustBe("rule", "slopes");
        activation.MustBe("name", _phi.Name);
        Refusal.Unless(_phi.Slopes is not null, activation.PathOf("name"), "has no slopes");
        activation.MustBe("least", _phi.Slopes!.Value.Least);
        activation.MustBe("largest", _phi.Slopes.Value.Largest);
        JsonElement[] layers = branch.List("layers", architecture.Layers[block].Length);
        var stages = new List<Stage>();
        int d = architecture.Width, start = 0;
        if (!architecture.IsDenseNet)
        {
            double[] identity = new double[d * d];
            Array.ForEach([.. Enumerable.Range(0, d)], k => identity[(k * d) + k] = 1);
            stages.Add(new Stage(identity, d, d, 0)); // the activation before the first layer
            start = d;
        }

        for (int i = 0; i < layers.Length; i++)
        {
            Fields weight = Fields.Exactly(layers[i], $"{branch.PathOf("layers")}[{i}]", "rule", "name", "shape", "sha256");
            weight.MustBe("rule", "weight");
            (_, int rows, int columns) = architecture.Layers[block][i];
            stages.Add(new Stage(Matrix(weight, block, i), rows, columns, start));
            start += architecture.IsDenseNet ? 0 : columns;
        }

        double bound = branch.Positive("lipschitz");
        bool proven = new Multipliers(d, _phi).Prove(stages, branch.Numbers("multipliers"), bound);
        return proven ? bound : throw new Refusal(branch.PathOf("multipliers"), $"do not prove {bound:R}");
    }

    private double Constant(Fields branch)
    {
        Fields activation = branch.Object("activation", "rule", "name", "lipschitz");
        activation.MustBe("rule", "table");
        activation.MustBe("name", _phi.Name);
        activation.MustBe("lipschitz", _phi.Lipschitz);
        return _phi.Lipschitz;
    }

    private static double Factor(Fields layer, string name) => layer.Positive(name) is >= 1 / LargestFactor and <= LargestFactor and double factor
        ? factor
        : throw new Refusal(layer.PathOf(name), "out of range");

    private double[] Matrix(Fields weight, int block, int layer)
    {
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
        weight.MustBe("rule", "dense-chol");
        double bound = weight.Positive("bound");
        (_, int rows, int columns) = architecture.Layers[block][layer];
        double[] matrix = Matrix(weight, block, layer);
        for (int k = 0; k < matrix.Length; k++)
        {
            double divisor = divisors[k % columns];
            Refusal.Unless(divisor is > 1e-200 and < 1e200, path, "the factors of its columns are out of range");
            matrix[k] /= divisor;
        }

        // Each divisor is a product of at most layer + 1 numbers; one more rounding for the division; generous by a factor of two.
        bool proven = VerifiedCholesky.ProvesNorm(matrix, rows, columns, Outward.Gamma(2L * (layer + 3)), bound);
        return proven ? bound : throw new Refusal(weight.PathOf("bound"), $"{bound:R} is not proven to bound the norm of the weight");
    }
}
