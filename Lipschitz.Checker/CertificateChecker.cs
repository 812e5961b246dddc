using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>A part of the flow whose claims were proven again.</summary>
/// <param name="Name">Such as <c>blocks.3</c>.</param>
/// <param name="Lipschitz">A bound of the Lipschitz constant of the part, x + g(x) for a block.</param>
/// <param name="Inverse">A bound of the Lipschitz constant of its inverse.</param>
public sealed record CheckedPart(string Name, double Lipschitz, double Inverse);

/// <summary>The outcome of a check.</summary>
/// <param name="Findings">What is wrong; empty where every claim was proven again.</param>
/// <param name="Parts">What was proven.</param>
/// <param name="Lipschitz">A bound of the Lipschitz constant of the whole flow; NaN with findings.</param>
/// <param name="Inverse">A bound of the Lipschitz constant of its inverse; NaN with findings.</param>
public sealed record CheckReport(IReadOnlyList<Finding> Findings, IReadOnlyList<CheckedPart> Parts, double Lipschitz, double Inverse)
{
    /// <summary>Whether the certificate stands.</summary>
    public bool IsValid => Findings.Count == 0;

    /// <summary>Whether the flow begins with the logit transform of pictures.</summary>
    public bool IsOfPictures => Parts is [{ Name: "preprocess" }, ..];

    /// <summary>What the certificate does not say.</summary>
    public IReadOnlyList<string> NotCovered =>
    [
        "the rounding of float32 evaluation: the claims are about the real function that the float32 parameters define",
        "norms other than the 2-norm, log-determinants, and how well the density fits any data",
        "the programs that evaluate the model, a head for classes, and files other than config.json and model.safetensors",
        .. IsOfPictures ? ["pictures with numbers outside [0, 1]: there the logit transform has no constant, or no value"] : Array.Empty<string>(),
    ];
}

/// <summary>Checks the certificate of a run from the bytes of its files alone; trusts no number in it.</summary>
public static class CertificateChecker
{
    /// <summary>The statement that every certificate makes.</summary>
    public const string Statement =
        "Each residual branch g of the real function that the float32 parameters of the model define satisfies "
        + "|g(x) - g(y)| <= lipschitz |x - y| in the 2-norm for all real x and y, with lipschitz < 1; so each block x + g(x) is invertible.";

    private const string File = "certificate";
    private const string DigestName = "sha256";

    /// <summary>Checks certificate.json of a run's directory against its config.json and model.safetensors.</summary>
    /// <exception cref="IOException">A file exists but cannot be read.</exception>
    public static CheckReport Check(string run)
    {
        string[] names = ["certificate.json", "config.json", "model.safetensors"];
        Finding[] missing = [.. names.Where(name => !System.IO.File.Exists(Path.Combine(run, name))).Select(name => new Finding(name, "there is none"))];
        byte[] Read(int i) => System.IO.File.ReadAllBytes(Path.Combine(run, names[i]));
        return missing.Length > 0 ? Refused(missing) : Check(Read(0), Read(1), Read(2));
    }

    /// <summary>Checks a certificate against the contents of config.json and model.safetensors.</summary>
    public static CheckReport Check(byte[] certificate, byte[] configuration, byte[] model)
    {
        var findings = new List<Finding>();
        var parts = new List<CheckedPart>();
        double lipschitz = double.NaN, inverse = double.NaN;
        Try(findings, () =>
        {
            Refusal.Unless(BitConverter.IsLittleEndian && Outward.IsIeee(1 + (1.0 / (1 << 30))), "this machine", "lacks IEEE arithmetic");
            var file = new ModelFile(model);
            var architecture = new Architecture(configuration, file.Width);
            Fields root = Fields.Exactly(
                Fields.Parse(certificate, File), File, "format", DigestName, "statement", "model", "architecture", "flow", "parts");
            root.MustBe("format", "lipschitz-certificate-1");
            Try(findings, () => root.MustBe(DigestName, OwnDigest(certificate)));
            Try(findings, () => CheckStatement(root, file));
            Try(findings, () => architecture.Check(root.Element("architecture"), root.PathOf("architecture")));
            architecture.Check(file);
            var rules = new Rules(file, architecture);
            JsonElement[] list = root.List("parts", architecture.Parts.Count);
            for (int i = 0; i < list.Length; i++)
            {
                Try(findings, () => parts.Add(rules.Check(list[i], $"{root.PathOf("parts")}[{i}]", architecture.Parts[i])));
            }

            if (findings.Count == 0)
            {
                (lipschitz, inverse) = CheckFlow(root, architecture, parts);
            }
        });
        return findings.Count == 0 ? new CheckReport(findings, parts, lipschitz, inverse) : Refused(findings);
    }

    /// <summary>The digest that a certificate must have: of its bytes with the digits of the digest replaced by 0.</summary>
    internal static string OwnDigest(byte[] certificate)
    {
        byte[] blank = [.. certificate];
        var json = new Utf8JsonReader(certificate);
        while (json.Read())
        {
            bool named = json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 1 && json.ValueTextEquals(DigestName);
            if (named && json.Read() && json.TokenType == JsonTokenType.String)
            {
                blank.AsSpan((int)json.TokenStartIndex + 1, json.ValueSpan.Length).Fill((byte)'0');
            }
        }

        return ModelFile.Digest(blank);
    }

    private static void CheckStatement(Fields root, ModelFile file)
    {
        Fields statement = root.Object("statement", "text", "norm", "width", "arithmetic");
        statement.MustBe("text", Statement);
        statement.MustBe("norm", 2);
        statement.MustBe("width", file.Width);
        statement.MustBe("arithmetic", "real");
        Fields model = root.Object("model", "file", DigestName);
        model.MustBe("file", "model.safetensors");
        model.MustBe(DigestName, file.Sha256);
    }

    // Constants multiply; what acts on a part of the features only, F beside the identity, has max(1, Lip F), as a whole.
    private static (double Lipschitz, double Inverse) CheckFlow(Fields root, Architecture architecture, List<CheckedPart> parts)
    {
        double lipschitz = 1, inverse = 1;
        for (int i = parts.Count - 1; i >= 0; i--)
        {
            bool factorsOut = architecture.Parts[i].Rule == "factor-out";
            (lipschitz, inverse) = factorsOut ? (Math.Max(1, lipschitz), Math.Max(1, inverse)) : (lipschitz, inverse);
            (lipschitz, inverse) = (Outward.MultiplyUp(parts[i].Lipschitz, lipschitz), Outward.MultiplyUp(parts[i].Inverse, inverse));
        }

        Fields flow = root.Object("flow", "lipschitz", "inverse");
        return (flow.Claim("lipschitz", lipschitz), flow.Claim("inverse", inverse));
    }

    private static void Try(List<Finding> findings, Action check)
    {
        try
        {
            check();
        }
        catch (Refusal refusal)
        {
            findings.Add(refusal.Finding);
        }
        catch (Exception e) when (IsOfTheFiles(e))
        {
            findings.Add(new Finding("a file", $"cannot be understood ({e.Message})"));
        }
    }

    // Texts that are no valid Unicode, sizes beyond all counts or beyond this machine's memory; also inside of a parallel loop.
    private static bool IsOfTheFiles(Exception e) => e is AggregateException all
        ? all.InnerExceptions.All(IsOfTheFiles)
        : e is InvalidOperationException or OverflowException or OutOfMemoryException;

    private static CheckReport Refused(IReadOnlyList<Finding> findings) => new(findings, [], double.NaN, double.NaN);
}
