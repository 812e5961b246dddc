using Lipschitz.Backends;
using Lipschitz.Models;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Rounding;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Certificates;

/// <summary>Makes claims by slope multipliers about whole branches of saved flows.</summary>
internal static class MultiplierClaim
{
    // Another proof of the same claim, with wider slopes and other allowances for rounding, must pass, too. So the claim is raised, by as
    // little as makes the matrix to be factorised positive by this much more than such allowances, relative to its size.
    private const double Margin = 1e-10;
    private const double LeastHeadroom = 1e-7;
    private const double MostHeadroom = 1e-2;

    // Multipliers below this part of the largest leave a pivot so small that an allowance relative to the largest swallows it.
    private const double LeastMultiplier = 1e-8;
    private const int FewSteps = 30;
    private const int MostSteps = 200;

    /// <summary>A proven claim, or null where none is looked for or found.</summary>
    /// <param name="saved">The model.</param>
    /// <param name="product">The claim by the product of layers.</param>
    /// <param name="tightness">Where to look.</param>
    public static MultiplierCertificate? TryMake(SavedModel saved, BranchCertificate product, Tightness tightness)
    {
        WeightClaim[] layers = [.. product.Weights];
        int neurons = layers.Take(layers.Length - 1).Sum(layer => layer.Rows) + (saved.Settings.Branch == BranchKind.Residual ? saved.Width : 0);
        if (tightness == Tightness.Product || saved.Settings.Image is not null // products suffice there
            || (tightness == Tightness.Small && neurons > CertificateBuilder.SmallBranch)
            || ActivationTable.Slopes(saved.Settings.Activation) is not (double least, double largest))
        {
            return null;
        }

        BranchNetwork network = Network(saved, layers);
        SlopeProblem problem = SlopeProblem.From(network)!;
        for (int steps = tightness == Tightness.All ? MostSteps : FewSteps; steps > 1; steps /= 4)
        {
            // A long search may end so near the edge of what is feasible that rounding leaves nothing to prove; a shorter one does not.
            if (MultiplierBound.TryProve(network, steps) is { } proof)
            {
                double floor = LeastMultiplier * proof.Multipliers.Max();
                double[] lambda = [.. proof.Multipliers.Select(multiplier => Math.Max(multiplier, floor))];
                if (Robust(Form(problem, lambda, least, largest), problem.InputWidth) is { } lipschitz)
                {
                    var claim = new MultiplierCertificate(lipschitz, product.Activation, product.Phi, least, largest, layers, lambda);
                    if (Proves(problem, claim))
                    {
                        return claim;
                    }
                }
            }
        }

        return null;
    }

    /// <summary>Whether a claim is proven as it will be written: by its own multipliers and slopes, below its own bound.</summary>
    internal static bool Proves(SlopeProblem problem, MultiplierCertificate claim) =>
        MultiplierBound.Proves(
            problem.With(new Interval(claim.Least, claim.Largest)), [.. claim.Multipliers], Outward.MultiplyDown(claim.Lipschitz, claim.Lipschitz));

    /// <summary>A branch as the claims about it see it.</summary>
    internal static BranchNetwork Network(SavedModel saved, WeightClaim[] layers)
    {
        Activation phi = saved.Settings.Activation;
        int d = saved.Width;
        var stages = new List<DenseStage>();
        int total = d, start = 0;
        bool isChain = saved.Settings.Branch == BranchKind.Residual;
        if (isChain)
        {
            // The activation before the first layer follows an identity.
            var identity = new double[d * d];
            for (int k = 0; k < d; k++)
            {
                identity[(k * d) + k] = 1;
            }

            stages.Add(new DenseStage(identity, new double[d], d, d, phi, []));
            (start, total) = (d, d + stages[0].SliceWidth);
        }

        for (int i = 0; i < layers.Length; i++)
        {
            (double[] narrow, int rows, int columns, _) = saved.Matrix(layers[i].Name);
            var wide = new double[rows * total];
            for (int r = 0; r < rows; r++)
            {
                narrow.AsSpan(r * columns, columns).CopyTo(wide.AsSpan((r * total) + start));
            }

            bool last = i == layers.Length - 1;
            var stage = new DenseStage(wide, new double[rows], rows, total, last ? Activation.Identity : phi, []);
            stages.Add(stage);
            start = isChain ? total : 0;
            total += stage.SliceWidth;
        }

        return BranchNetwork.Create(d, stages[..^1], stages[^1]);
    }

    // G'G + sum lambda_i Q_i with slopes in [least, largest]: unproven, in plain double.
    private static Matrix<double> Form(SlopeProblem problem, double[] lambda, double least, double largest)
    {
        int d = problem.InputWidth, n = problem.Neurons;
        Matrix<double> pre = problem.Pre.Middle(), output = problem.Output.Middle(), weighted = pre.Clone();
        for (int i = 0; i < n; i++)
        {
            weighted.SetRow(i, pre.Row(i) * (-2 * least * largest * lambda[i]));
        }

        Matrix<double> form = output.TransposeThisAndMultiply(output) + pre.TransposeThisAndMultiply(weighted);
        for (int i = 0; i < n; i++)
        {
            double factor = lambda[i] * (least + largest);
            for (int j = 0; j < d + i; j++)
            {
                form[d + i, j] += factor * pre[i, j];
                form[j, d + i] += factor * pre[i, j];
            }

            form[d + i, d + i] -= 2 * lambda[i];
        }

        return form;
    }

    // The least bound sqrt(rho), raised until rho E0'E0 - form is positive definite with the margin; null where none is.
    private static double? Robust(Matrix<double> form, int inputs)
    {
        int n = form.RowCount - inputs;
        double rho;
        try
        {
            Matrix<double> coupling = form.SubMatrix(inputs, n, 0, inputs);
            Matrix<double> reduced = form.SubMatrix(0, inputs, 0, inputs)
                + coupling.TransposeThisAndMultiply((-form.SubMatrix(inputs, n, inputs, n)).Cholesky().Solve(coupling));
            rho = ((reduced + reduced.Transpose()) / 2).Evd(Symmetricity.Symmetric).EigenValues.Real().Maximum();
        }
        catch (ArgumentException)
        {
            return null; // not negative definite: wider slopes made it infeasible
        }

        double margin = Margin * form.InfinityNorm();
        for (double headroom = LeastHeadroom; headroom <= MostHeadroom; headroom *= 4)
        {
            double bound = Math.Sqrt(rho) * (1 + headroom);
            Matrix<double> slack = -form;
            for (int k = 0; k < inputs; k++)
            {
                slack[k, k] += bound * bound;
            }

            if (slack.Evd(Symmetricity.Symmetric).EigenValues.Real().Minimum() >= margin)
            {
                return bound;
            }
        }

        return null;
    }
}
