using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>A bound of a whole branch that uses that slopes lie in [alpha, beta] at once, not layer by layer.</summary>
/// <remarks>
/// For two inputs let v be the difference of [x; a]. Slopes in [alpha, beta] mean
/// <c>q_i(v) = 2 (a_i - alpha p_i v)(beta p_i v - a_i) &gt;= 0</c>, also for alpha &lt; 0. So for any lambda &gt;= 0, if
/// <c>S = rho E0'E0 - G'G - sum lambda_i Q_i</c> is positive semidefinite (E0 v = x, v'Q_i v = q_i(v)), then
/// <c>|G v|^2 &lt;= rho |x|^2 - sum lambda_i q_i(v) &lt;= rho |x|^2</c>: Lip(g)^2 &lt;= rho. This is the dual of the semidefinite programme
/// of Fazlyab et al. 2019 with diagonal multipliers; no solver needs to be trusted. S is evaluated in interval arithmetic and proven by
/// one floating-point Cholesky factorisation.
/// </remarks>
public static class MultiplierBound
{
    /// <summary>Entries of [x; a] up to which the search takes seconds: its cost grows with the cube, about a second a step at 1,000.</summary>
    public const int LargestWidth = 400;

    /// <summary>Finds multipliers and proves a bound; null where the branch does not allow it or no attempt passes.</summary>
    /// <param name="network">The branch.</param>
    /// <param name="steps">Evaluations of the optimiser at most.</param>
    /// <param name="largestWidth">Wider branches are left to the product bound.</param>
    public static MultiplierProof? TryProve(BranchNetwork network, int steps = 120, int largestWidth = LargestWidth)
    {
        if (network.Stages.Count == 0 || network.InputWidth + network.Stages.Sum(stage => stage.Outputs) > largestWidth)
        {
            return null;
        }

        SlopeProblem? problem = SlopeProblem.From(network);
        if (problem is null)
        {
            return null;
        }

        (double[]? lambda, double rho, int used) = MultiplierSearch.Minimise(problem, steps);
        if (lambda is null)
        {
            return null;
        }

        IntervalMatrix form = Form(problem, lambda);
        for (double slack = 1e-10; slack < 0.1; slack *= 8)
        {
            double t = Math.Sqrt(rho) * (1 + slack);
            double claim = Outward.MultiplyDown(t, t);
            if (Proves(form, problem.InputWidth, claim))
            {
                return new(t, claim, lambda, used);
            }
        }

        return null;
    }

    /// <summary>Whether the multipliers prove Lip(g)^2 &lt;= rho; false says nothing.</summary>
    /// <exception cref="ArgumentException">A multiplier is negative or missing.</exception>
    public static bool Check(BranchNetwork network, IReadOnlyList<double> multipliers, double rho)
    {
        SlopeProblem? problem = SlopeProblem.From(network);
        if (problem is null || multipliers.Count != problem.Neurons || multipliers.Any(x => !(x >= 0) || !double.IsFinite(x)))
        {
            throw new ArgumentException("Multipliers must be non-negative, one for each neuron.", nameof(multipliers));
        }

        return Proves(problem, [.. multipliers], rho);
    }

    /// <summary>Whether multipliers that are not negative prove Lip(g)^2 &lt;= rho with the slopes of the problem.</summary>
    internal static bool Proves(SlopeProblem problem, double[] multipliers, double rho) => Proves(Form(problem, multipliers), problem.InputWidth, rho);

    // Encloses -(G'G + sum lambda_i Q_i), lower triangle, where
    // Q_i = (alpha + beta)(e_i p_i' + p_i e_i') - 2 e_i e_i' - 2 alpha beta p_i p_i'.
    private static IntervalMatrix Form(SlopeProblem problem, double[] lambda)
    {
        int width = problem.Width, d = problem.InputWidth;
        var form = new IntervalMatrix(width, width);
        for (int i = 0; i < problem.Output.Rows; i++)
        {
            AddOuter(form, -1, problem.Output.Row(i));
        }

        for (int i = 0; i < problem.Neurons; i++)
        {
            ReadOnlySpan<Interval> row = problem.Pre.Row(i);
            Interval alpha = problem.Slopes[i].Lower, beta = problem.Slopes[i].Upper;
            if (problem.Slopes[i].Lower != 0)
            {
                AddOuter(form, 2 * lambda[i] * (alpha * beta), row);
            }

            IntervalMatrix.AddMultiple(form.Row(d + i), -(lambda[i] * (alpha + beta)), row[..(d + i)]);
            form[d + i, d + i] += 2 * lambda[i];
        }

        return form;
    }

    private static void AddOuter(IntervalMatrix form, Interval factor, ReadOnlySpan<Interval> row)
    {
        for (int j = 0; j < row.Length; j++)
        {
            if (row[j].Lower != 0 || row[j].Upper != 0)
            {
                IntervalMatrix.AddMultiple(form.Row(j), factor * row[j], row[..(j + 1)]);
            }
        }
    }

    private static bool Proves(IntervalMatrix form, int inputWidth, double rho)
    {
        if (!double.IsFinite(rho))
        {
            return false;
        }

        // 0 I - (-S) with the middles of S; the radii enter as a distance: |R|_2 <= |R|_F, both triangles.
        var negative = new SymmetricMatrix(form.Rows);
        double radii = 0;
        for (int i = 0; i < form.Rows; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                Interval entry = i == j && i < inputWidth ? form[i, j] + rho : form[i, j];
                negative[i, j] = -entry.Middle;
                double square = Outward.MultiplyUp(entry.Radius, entry.Radius);
                radii = Outward.AddUp(radii, i == j ? square : 2 * square);
            }
        }

        return VerifiedCholesky.Proves(negative, 0, Outward.SqrtUp(radii), new SymmetricMatrix(form.Rows), true);
    }
}
