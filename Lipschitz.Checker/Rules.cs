using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>The closed set of rules by which a certificate argues; each re-proves its claim from the weights.</summary>
internal sealed class Rules(ModelFile model, Architecture architecture)
{
    private const double LargestFactor = 1e30; // of e1, e2, so that no product of them over- or underflows
    private readonly ActivationConstant _phi = architecture.Activation;

    /// <summary>One bijection of the chain.</summary>
    public CheckedPart Check(JsonElement element, string path, Part part)
    {
        string[] more = part.Rule switch { "residual" => ["branch"], "logit" => ["alpha", "domain"], _ => [] };
        Fields fields = Fields.Exactly(element, path, ["name", "rule", "lipschitz", "inverse", .. more]);
        fields.MustBe("name", part.Name);
        fields.MustBe("rule", part.Rule);
        (double lipschitz, double inverse) = part.Rule switch
        {
            "residual" => Residual(fields, part.Branch!),
            "scale" => Scale(model.Matrix($"{part.Name}.logScale", 1, part.Columns)),
            "logit" => Logit(fields, part.Alpha),
            _ => (1, 1), // permutations
        };
        return new(part.Name, fields.Claim("lipschitz", lipschitz), fields.Claim("inverse", inverse));
    }

    private static (double Lipschitz, double Inverse) Scale(double[] logScale) =>
        (Outward.ExpUp(logScale.Max()), Outward.ExpUp(-logScale.Min()));

    // The slope (1 - 2a)/(s (1 - s)) of logit(a + (1 - 2a) x) for s in [a, 1 - a]: largest at the ends, least in the middle.
    private static (double Lipschitz, double Inverse) Logit(Fields fields, double alpha)
    {
        fields.MustBe("alpha", alpha);
        fields.MustBe("domain", "[0, 1]");
        double ends = Outward.MultiplyDown(alpha, Outward.SubtractDown(1, alpha));
        double largest = Outward.DivideUp(Outward.AddUp(1, -2 * alpha), ends); // 2 alpha and 4 times a number are exact
        return (largest, Outward.DivideUp(1, 4 * Outward.SubtractDown(1, 2 * alpha)));
    }

    private (double Lipschitz, double Inverse) Residual(Fields part, Branch branch)
    {
        string path = part.PathOf("branch"), rule = Fields.AtLeast(part.Element("branch"), path).Text("rule");
        double bound = rule switch
        {
            "dense-net" when architecture.IsDenseNet => DenseNet(part.Element("branch"), path, branch),
            "product" when !architecture.IsDenseNet => Product(part.Element("branch"), path, branch),
            "multipliers" when !architecture.IsPictures => WholeBranch(part.Element("branch"), path, branch),
            _ => throw new Refusal($"{path}.rule", $"no rule '{rule}' for such a branch"),
        };
        Refusal.Unless(bound < 1, $"{path}.lipschitz", $"{bound:R} is not below 1");
        return (Outward.AddUp(1, bound), Outward.DivideUp(1, Outward.SubtractDown(1, bound)));
    }

    // Layers h <- [e1 h; e2 phi(N h + b)] with N = E D^-1, then E D^-1 h + b: Lip <= s_first prod sqrt(e1^2 + (e2 L s)^2) s_final.
    private double DenseNet(JsonElement element, string path, Branch shape)
    {
        string[] before = shape.First is null ? [] : ["first"];
        Fields branch = Fields.Exactly(element, path, ["rule", "lipschitz", "activation", .. before, "layers", "final"]);
        double phi = Constant(branch);
        JsonElement[] layers = branch.List("layers", shape.Layers.Length);
        double product = shape.First is null ? 1 : Norm(branch.Element("first"), branch.PathOf("first"), shape, shape.First);
        double[] divisors = []; // of the columns of the next layer
        for (int i = 0; i < layers.Length; i++)
        {
            Fields layer = Fields.Exactly(layers[i], $"{branch.PathOf("layers")}[{i}]", "rule", "e1", "e2", "weight");
            layer.MustBe("rule", "concatenation");
            int columns = shape.Layers[i].Columns, next = i + 1 < layers.Length ? shape.Layers[i + 1].Columns : shape.Final!.Columns;
            divisors = i == 0 ? Ones(columns) : divisors;
            double s = Norm(layer.Element("weight"), layer.PathOf("weight"), shape, shape.Layers[i], divisors);
            double e1 = Factor(layer, "e1"), e2 = Factor(layer, "e2");
            double right = Outward.MultiplyUp(e2, Outward.MultiplyUp(phi, s));
            double square = Outward.AddUp(Outward.MultiplyUp(e1, e1), Outward.MultiplyUp(right, right));
            product = Outward.MultiplyUp(product, Outward.SqrtUp(square));
            divisors = [.. divisors.Select(d => d * e1), .. Enumerable.Repeat(e2, next - columns)];
        }

        double final = Norm(branch.Element("final"), branch.PathOf("final"), shape, shape.Final!, divisors);
        return branch.Claim("lipschitz", Outward.MultiplyUp(product, final));
    }

    // phi, then a linear layer, in turn: constants multiply.
    private double Product(JsonElement element, string path, Branch shape)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers");
        double phi = Constant(branch), product = 1;
        JsonElement[] layers = branch.List("layers", shape.Layers.Length);
        for (int i = 0; i < layers.Length; i++)
        {
            double s = Norm(layers[i], $"{branch.PathOf("layers")}[{i}]", shape, shape.Layers[i]);
            product = Outward.MultiplyUp(product, shape.Layers[i].Activated ? Outward.MultiplyUp(phi, s) : s);
        }

        return branch.Claim("lipschitz", product);
    }

    // A bound of the whole branch from the slopes of its activation, see Multipliers.
    private double WholeBranch(JsonElement element, string path, Branch shape)
    {
        Fields branch = Fields.Exactly(element, path, "rule", "lipschitz", "activation", "layers", "multipliers");
        Fields activation = Activation(branch, "slopes", "least", "largest");
        Refusal.Unless(_phi.Slopes is not null, activation.PathOf("name"), "has no slopes");
        activation.MustBe("least", _phi.Slopes!.Value.Least);
        activation.MustBe("largest", _phi.Slopes.Value.Largest);
        Layer[] all = shape.Final is null ? shape.Layers : [.. shape.Layers, shape.Final];
        JsonElement[] layers = branch.List("layers", all.Length);
        var stages = new List<Stage>();
        int d = architecture.Width, start = 0;
        long entries = d + all.Take(all.Length - 1).Sum(layer => (long)layer.Rows) + (architecture.IsDenseNet ? 0 : d);
        Refusal.Unless(entries <= Multipliers.LargestWidth, path, $"has more than {Multipliers.LargestWidth} inputs and neurons");
        if (!architecture.IsDenseNet)
        {
            double[] identity = [.. Enumerable.Range(0, d * d).Select(k => k % (d + 1) == 0 ? 1.0 : 0)];
            stages.Add(new Stage(identity, d, d, 0)); // the activation before the first layer
            start = d;
        }

        for (int i = 0; i < layers.Length; i++)
        {
            Fields weight = Fields.Exactly(layers[i], $"{branch.PathOf("layers")}[{i}]", "rule", "name", "shape", "sha256");
            stages.Add(new Stage(Matrix(weight, "weight", all[i]), all[i].Rows, all[i].Columns, start));
            start += architecture.IsDenseNet ? 0 : all[i].Columns;
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

    private double[] Matrix(Fields weight, string rule, Layer layer)
    {
        weight.MustBe("rule", rule);
        weight.MustBe("name", layer.Tensor);
        weight.MustBe("shape", [layer.Rows, layer.Columns]);
        weight.MustBe("sha256", model.DigestOf(layer.Tensor));
        return model.Matrix(layer.Tensor, layer.Rows, layer.Columns);
    }

    // The claim |E D^-1|_2 <= bound about one effective weight E, D the diagonal of the column divisors, or about its convolution.
    private double Norm(JsonElement element, string path, Branch branch, Layer layer, double[]? divisors = null)
    {
        string[] more = layer.Kernel == 1 ? [] : ["grid"];
        Fields weight = Fields.Exactly(element, path, ["rule", "name", "shape", "sha256", "bound", .. more]);
        double bound = weight.Positive("bound");
        double[] d = divisors ?? Ones(layer.Columns);
        Refusal.Unless(d.All(divisor => divisor is > 1e-200 and < 1e200), path, "the factors of its columns are out of range");
        double[] matrix = Matrix(weight, layer.Kernel == 1 ? "dense-chol" : "conv-grid", layer);
        matrix = [.. matrix.Select((w, k) => w / d[k % layer.Columns])];

        // Each divisor is a product of at most as many numbers as there are dense layers; one more rounding for the division; generous.
        double relative = Outward.Gamma(2L * (branch.Layers.Length + 3));
        bool proven = layer.Kernel == 1
            ? VerifiedCholesky.ProvesNorm(matrix, layer.Outputs, layer.Columns, relative, bound)
            : new ConvolutionGrid(matrix, layer.Outputs, layer.Columns, layer.Kernel).Proves(
                weight.Wholes("grid"), branch.Height, branch.Width, relative, bound);
        return proven ? bound : throw new Refusal(weight.PathOf("bound"), $"{bound:R} is not proven to bound the norm of the weight");
    }

    private static double[] Ones(int count) => [.. Enumerable.Repeat(1.0, count)];
}
