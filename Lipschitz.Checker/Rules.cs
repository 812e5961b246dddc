using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>The closed set of rules by which a certificate argues; each re-proves its claim from the weights.</summary>
internal sealed class Rules(ModelFile model, Architecture architecture)
{
    /// <summary>Factors e1, e2 outside this range are refused, so that no product of them over- or underflows.</summary>
    private const double LargestFactor = 1e30;

    /// <summary>One bijection of the chain: an ActNorm or a residual block.</summary>
    public (double Lipschitz, double Inverse) Part(JsonElement element, string path, string name)
    {
        bool isNorm = name.StartsWith("norms.", StringComparison.Ordinal);
        Fields part = isNorm
            ? Fields.Exactly(element, path, "name", "rule", "lipschitz", "inverse")
            : Fields.Exactly(element, path, "name", "rule", "lipschitz", "inverse", "branch");
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

    /// <summary>The claim about Lip(g) of one block.</summary>
    public double Branch(JsonElement element, string path, int block)
    {
        Refusal.Unless(element.ValueKind == JsonValueKind.Object, path, "an object is due");
        string rule = Fields.AtLeast(element, path).Text("rule");
        return rule switch
        {
            "dense-net" when architecture.IsDenseNet => DenseNet(element, path, block),
            "product" when !architecture.IsDenseNet => Product(element, path, block),
            _ => throw new Refusal($"{path}.rule", $"no rule '{rule}' for a {architecture.Branch} branch"),
        };
    }

    // Layers h <- [e1 h; e2 phi(N h + b)] with N = E D^-1, then E D^-1 h + b: Lip <= s_final prod sqrt(e1^2 + (e2 L s)^2).
    private double DenseNet(JsonElement element, string path, int block)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers", "final");
        double phi = Activation(branch);
        JsonElement[] layers = branch.List("layers");
        Refusal.Unless(layers.Length == architecture.Depth, branch.PathOf("layers"), $"{architecture.Depth} layers are due, not {layers.Length}");
        int slice = architecture.Activation.OutputColumns(architecture.Growth);
        double[] divisors = [.. Enumerable.Repeat(1.0, architecture.Width)]; // of the columns of the next layer
        double product = 1;
        for (int i = 0; i < layers.Length; i++)
        {
            Fields layer = Fields.Exactly(layers[i], $"{branch.PathOf("layers")}[{i}]", "rule", "e1", "e2", "weight");
            layer.MustBe("rule", "concatenation");
            double s = Weight(layer.Element("weight"), layer.PathOf("weight"), block, i, divisors);
            double e1 = Factor(layer, "e1"), e2 = Factor(layer, "e2");
            double right = Outward.MultiplyUp(e2, Outward.MultiplyUp(phi, s));
            double square = Outward.AddUp(Outward.MultiplyUp(e1, e1), Outward.MultiplyUp(right, right));
            product = Outward.MultiplyUp(product, Outward.SqrtUp(square));
            divisors = [.. divisors.Select(d => d * e1), .. Enumerable.Repeat(e2, slice)];
        }

        double final = Weight(branch.Element("final"), branch.PathOf("final"), block, layers.Length, divisors);
        return branch.Claim("lipschitz", Outward.MultiplyUp(product, final));
    }

    // phi, then a linear layer, in turn: constants multiply.
    private double Product(JsonElement element, string path, int block)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers");
        double phi = Activation(branch);
        JsonElement[] layers = branch.List("layers");
        int due = architecture.Layers[block].Length;
        Refusal.Unless(layers.Length == due, branch.PathOf("layers"), $"{due} layers are due, not {layers.Length}");
        double product = 1;
        for (int i = 0; i < layers.Length; i++)
        {
            double[] ones = [.. Enumerable.Repeat(1.0, architecture.Layers[block][i].Columns)];
            double s = Weight(layers[i], $"{branch.PathOf("layers")}[{i}]", block, i, ones);
            product = Outward.MultiplyUp(product, Outward.MultiplyUp(phi, s));
        }

        return branch.Claim("lipschitz", product);
    }

    private double Activation(Fields branch)
    {
        Fields activation = Fields.Exactly(branch.Element("activation"), branch.PathOf("activation"), "rule", "name", "lipschitz");
        activation.MustBe("rule", "table");
        activation.MustBe("name", architecture.Activation.Name);
        double claim = activation.Positive("lipschitz"), known = architecture.Activation.Lipschitz;
        Refusal.Unless(claim == known, activation.PathOf("lipschitz"), $"{claim:R} is claimed where the table has {known:R}");
        return known;
    }

    private static double Factor(Fields layer, string name)
    {
        double factor = layer.Positive(name);
        Refusal.Unless(factor is >= 1 / LargestFactor and <= LargestFactor, layer.PathOf(name), "out of range");
        return factor;
    }

    // The claim |E D^-1|_2 <= bound about one effective weight E, D the diagonal of the column divisors.
    private double Weight(JsonElement element, string path, int block, int layer, double[] divisors)
    {
        Fields weight = Fields.Exactly(element, path, "rule", "name", "shape", "sha256", "bound");
        weight.MustBe("rule", "dense-chol");
        (string name, int rows, int columns) = architecture.Layers[block][layer];
        weight.MustBe("name", name);
        weight.MustBe("shape", [rows, columns]);
        weight.MustBe("sha256", model.DigestOf(name));
        double bound = weight.Positive("bound");
        double[] matrix = model.Matrix(name, rows, columns);
        for (int k = 0; k < matrix.Length; k++)
        {
            double divisor = divisors[k % columns];
            Refusal.Unless(divisor is > 1e-200 and < 1e200, path, "the factors of its columns are out of range");
            matrix[k] /= divisor;
        }

        // Each divisor is a product of at most layer + 1 numbers; one more rounding for the division; generous by a factor of two.
        double relative = Outward.Gamma(2L * (layer + 3));
        bool proven = VerifiedCholesky.ProvesNorm(matrix, rows, columns, relative, bound);
        Refusal.Unless(proven, weight.PathOf("bound"), $"{bound:R} is not proven to bound the norm of {name}");
        return bound;
    }
}
