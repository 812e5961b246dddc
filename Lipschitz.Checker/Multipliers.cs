namespace Lipschitz.Checker;

/// <summary>One linear map of a branch: W [Rows, Columns] on the raw slices from column Start on.</summary>
internal sealed record Stage(double[] Weight, int Rows, int Columns, int Start);

/// <summary>The rule "multipliers": a bound of a whole branch from slopes in [alpha, beta] and numbers lambda &gt;= 0.</summary>
/// <remarks>
/// For two inputs let v be the difference of [x; a], a one number a neuron, p_i v that of its preactivation and G v that of the output.
/// Slopes in [alpha, beta] mean q_i(v) = 2 (a_i - alpha p_i v)(beta p_i v - a_i) &gt;= 0. If S = rho E0'E0 - G'G - sum lambda_i Q_i is positive
/// semidefinite, |G v|^2 &lt;= rho |x|^2. CLipSwish(z) = [a, a - z/1.1]/1.004 with a = LipSwish(z). Every entry of S is a sum of products;
/// a product of at most K roundings is off by gamma_K of its size (Higham 2002, lemma 3.1), so S is off by gamma_K of the same sum of sizes.
/// </remarks>
internal sealed class Multipliers(int inputs, ActivationConstant activation)
{
    /// <summary>Inputs and neurons of a branch at most: matrices of that size fit into memory.</summary>
    public const int LargestWidth = 4096;

    private const double LargestWeight = 1e6, LargestMultiplier = 1e50, Underflow = 1e-100; // 16 stages of such weights cannot amplify 2^-1074 to this
    private readonly List<(double[] Value, double[] Size)> _raw = [];
    private readonly List<(double[] Value, double[] Size)> _pre = [];

    /// <summary>Whether the multipliers prove Lip(g) &lt;= bound; the activation follows every stage but the last.</summary>
    public bool Prove(IReadOnlyList<Stage> stages, double[] lambda, double bound)
    {
        int neurons = stages.Take(stages.Count - 1).Sum(stage => stage.Rows), width = inputs + neurons;
        bool known = stages.Count <= 16 && lambda.Length == neurons && lambda.All(l => l is >= 0 and <= LargestMultiplier)
            && stages.All(stage => stage.Weight.All(w => Math.Abs(w) <= LargestWeight));
        if (!known || activation.Slopes is not (double alpha, double beta))
        {
            return false;
        }

        _raw.AddRange(Enumerable.Range(0, inputs).Select(k => Unit(k, width)));
        foreach (Stage stage in stages.Take(stages.Count - 1))
        {
            Add(stage, width);
        }

        double rho = Outward.MultiplyDown(bound, bound);
        double[] s = new double[width * width], size = new double[width * width];
        for (int k = 0; k < inputs; k++)
        {
            s[(k * width) + k] = size[(k * width) + k] = rho;
        }

        for (int row = 0; row < stages[^1].Rows; row++)
        {
            AddOuter(s, size, -1, Combine(stages[^1], row, width));
        }

        for (int i = 0; i < neurons; i++)
        {
            (double[] p, double[] sizes) = _pre[i];
            AddOuter(s, size, 2 * lambda[i] * alpha * beta, _pre[i]);
            int start = (inputs + i) * width;
            for (int j = 0; j < inputs + i; j++)
            {
                s[start + j] -= lambda[i] * (alpha + beta) * p[j];
                size[start + j] += Math.Abs(lambda[i] * (alpha + beta)) * sizes[j];
            }

            s[start + inputs + i] += 2 * lambda[i];
            size[start + inputs + i] += 2 * lambda[i];
        }

        long roundings = (2 * stages.Sum(stage => stage.Columns + 8L)) + neurons + stages[^1].Rows + 20;
        double error = Outward.MultiplyUp(Outward.Gamma(4 * roundings), LargestRowSum(size, width));
        return VerifiedCholesky.ProvesPositive(s, width, Outward.AddUp(error, Underflow));
    }

    // The preactivations of a stage, and its raw slice in terms of [x; a].
    private void Add(Stage stage, int width)
    {
        int first = _pre.Count;
        _pre.AddRange(Enumerable.Range(0, stage.Rows).Select(row => Combine(stage, row, width)).ToList());
        bool paired = activation.Name == "CLipSwish";
        for (int i = first; i < _pre.Count; i++)
        {
            (double[] value, double[] size) = Unit(inputs + i, width);
            _raw.Add(paired ? ([.. value.Select(x => x / 1.004)], [.. size.Select(x => x / 1.004)]) : (value, size));
        }

        for (int i = first; i < _pre.Count && paired; i++)
        {
            (double[] value, double[] size) = ([.. _pre[i].Value.Select(x => -x / 1.1 / 1.004)], [.. _pre[i].Size.Select(x => x / 1.1 / 1.004)]);
            value[inputs + i] = size[inputs + i] = 1 / 1.004;
            _raw.Add((value, size));
        }
    }

    private (double[] Value, double[] Size) Combine(Stage stage, int row, int width)
    {
        double[] value = new double[width], size = new double[width];
        for (int c = 0; c < stage.Columns; c++)
        {
            double w = stage.Weight[(row * stage.Columns) + c];
            (double[] raw, double[] rawSize) = _raw[stage.Start + c];
            for (int k = 0; k < width && w != 0; k++)
            {
                value[k] += w * raw[k];
                size[k] += Math.Abs(w) * rawSize[k];
            }
        }

        return (value, size);
    }

    private static void AddOuter(double[] s, double[] size, double factor, (double[] Value, double[] Size) row)
    {
        int width = row.Value.Length;
        for (int i = 0; i < width; i++)
        {
            double f = factor * row.Value[i], g = Math.Abs(factor) * row.Size[i];
            for (int j = 0; j <= i && g != 0; j++)
            {
                s[(i * width) + j] += f * row.Value[j];
                size[(i * width) + j] += g * row.Size[j];
            }
        }
    }

    // Of the symmetric matrix with this lower triangle.
    private static double LargestRowSum(double[] lower, int n) => Enumerable.Range(0, n).Max(i =>
        Enumerable.Range(0, n).Aggregate(0.0, (sum, j) => Outward.AddUp(sum, lower[(Math.Max(i, j) * n) + Math.Min(i, j)])));

    private static (double[] Value, double[] Size) Unit(int k, int width)
    {
        double[] unit = new double[width];
        unit[k] = 1;
        return (unit, (double[])unit.Clone());
    }
}
