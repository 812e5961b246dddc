using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Branches;

/// <summary>
/// Looks for multipliers with a small rho: unproven, in plain double. With the blocks [[A, B'], [B, -C]] of G'G + sum lambda_i Q_i,
/// rho(lambda) is the largest eigenvalue of <c>A + B' C^-1 B</c>, a convex function where C is positive definite.
/// </summary>
internal sealed class MultiplierSearch
{
    private const double Power = 24; // the largest eigenvalue is smoothed to (sum mu^p)^(1/p)
    private const int Memory = 10;
    private readonly SlopeProblem _problem;
    private readonly Matrix<double> _pre;
    private readonly Matrix<double> _outputGram;

    private MultiplierSearch(SlopeProblem problem)
    {
        _problem = problem;
        _pre = problem.Pre.Middle();
        Matrix<double> output = problem.Output.Middle();
        _outputGram = output.TransposeThisAndMultiply(output);
    }

    /// <summary>The best multipliers found, their rho and the evaluations used; null when none are feasible.</summary>
    public static (double[]? Lambda, double Rho, int Evaluations) Minimise(SlopeProblem problem, int evaluations)
    {
        var search = new MultiplierSearch(problem);
        return search.Feasible() is { } start ? search.Descend(start, evaluations) : (null, 0, 0);
    }

    // Stage by stage from the last: lambda_l enters the block of a_l.. of C as 2 lambda_l I on a_l alone, so anything above half the
    // largest eigenvalue of minus the Schur complement of the later stages will do.
    private double[]? Feasible()
    {
        var lambda = new double[_problem.Neurons];
        int d = _problem.InputWidth;
        for (int stage = _problem.Starts.Length - 2; stage >= 0; stage--)
        {
            int start = _problem.Starts[stage], width = _problem.Starts[stage + 1] - start, rest = _problem.Neurons - start - width;
            Matrix<double> form = Assemble(lambda);
            Matrix<double> block = form.SubMatrix(d + start, width, d + start, width);
            if (rest > 0)
            {
                Matrix<double> coupling = form.SubMatrix(d + start + width, rest, d + start, width);
                Matrix<double> later = form.SubMatrix(d + start + width, rest, d + start + width, rest);
                if (Solve(-later, coupling) is not { } solved)
                {
                    return null;
                }

                block += coupling.TransposeThisAndMultiply(solved);
            }

            double largest = block.Evd(Symmetricity.Symmetric).EigenValues.Real().Maximum();
            Array.Fill(lambda, Math.Max(1.3 * largest / 2, 1e-12), start, width);
        }

        return lambda;
    }

    // L-BFGS in log lambda with backtracking; infeasible points count as infinitely high.
    private (double[]? Lambda, double Rho, int Evaluations) Descend(double[] start, int evaluations)
    {
        Vector<double> x = Vector<double>.Build.Dense(start).PointwiseLog();
        (double value, double rho, Vector<double> gradient) = Evaluate(x);
        if (!double.IsFinite(value))
        {
            return (null, 0, 1);
        }

        (Vector<double> best, double bestRho) = (x, rho);
        var steps = new List<(Vector<double> S, Vector<double> Y)>();
        int used = 1;
        while (used < evaluations)
        {
            Vector<double> direction = -Precondition(gradient, steps);
            double largest = direction.AbsoluteMaximum();
            double scale = Math.Min(1, (steps.Count == 0 ? 0.5 : 1.5) / largest), slope = direction * gradient;
            if (steps.Count == 0)
            {
                scale = 0.5 / largest;
            }

            bool moved = false;
            for (; used < evaluations && scale * largest > 1e-6; scale /= 3)
            {
                Vector<double> next = x + (scale * direction);
                used++;
                (double nextValue, double nextRho, Vector<double> nextGradient) = Evaluate(next);
                if (nextRho < bestRho)
                {
                    (best, bestRho) = (next, nextRho);
                }

                if (nextValue < value + (1e-4 * scale * slope))
                {
                    (Vector<double> s, Vector<double> y) = (next - x, nextGradient - gradient);
                    if (s * y > 1e-12 * s.L2Norm() * y.L2Norm())
                    {
                        steps.Add((s, y));
                        steps.RemoveRange(0, Math.Max(0, steps.Count - Memory));
                    }

                    moved = value - nextValue > 1e-7;
                    (x, value, gradient) = (next, nextValue, nextGradient);
                    break;
                }
            }

            if (!moved)
            {
                break;
            }
        }

        return ([.. best.Select(Math.Exp)], bestRho, used);
    }

    private static Vector<double> Precondition(Vector<double> gradient, List<(Vector<double> S, Vector<double> Y)> steps)
    {
        Vector<double> q = gradient.Clone();
        var weights = new double[steps.Count];
        for (int k = steps.Count - 1; k >= 0; k--)
        {
            weights[k] = steps[k].S * q / (steps[k].S * steps[k].Y);
            q -= weights[k] * steps[k].Y;
        }

        if (steps.Count > 0)
        {
            (Vector<double> s, Vector<double> y) = steps[^1];
            q *= s * y / (y * y);
        }

        for (int k = 0; k < steps.Count; k++)
        {
            q += (weights[k] - (steps[k].Y * q / (steps[k].S * steps[k].Y))) * steps[k].S;
        }

        return q;
    }

    // log of the smoothed rho, rho, and the gradient of the first by log lambda: d rho/d lambda_i = q_i(w), w = [x; C^-1 B x].
    private (double Value, double Rho, Vector<double> Gradient) Evaluate(Vector<double> logLambda)
    {
        int d = _problem.InputWidth, n = _problem.Neurons;
        double[] lambda = [.. logLambda.Select(Math.Exp)];
        Matrix<double> form = Assemble(lambda), coupling = form.SubMatrix(d, n, 0, d);
        if (Solve(-form.SubMatrix(d, n, d, n), coupling) is not { } solved)
        {
            return (double.PositiveInfinity, double.PositiveInfinity, logLambda);
        }

        Matrix<double> reduced = form.SubMatrix(0, d, 0, d) + coupling.TransposeThisAndMultiply(solved);
        var evd = ((reduced + reduced.Transpose()) / 2).Evd(Symmetricity.Symmetric);
        Vector<double> values = evd.EigenValues.Real();
        double largest = values.Maximum();
        Vector<double> weights = values.Map(mu => mu > 0 ? Math.Pow(mu / largest, Power) : 0);
        double sum = weights.Sum();
        Matrix<double> states = Matrix<double>.Build.Dense(d + n, d);
        states.SetSubMatrix(0, 0, evd.EigenVectors);
        states.SetSubMatrix(d, 0, solved * evd.EigenVectors);
        Matrix<double> inputs = _pre * states;
        Vector<double> gradient = Vector<double>.Build.Dense(n);
        for (int k = 0; k < d; k++)
        {
            double weight = values[k] <= 0 ? 0 : weights[k] / values[k] / sum;
            for (int i = 0; i < n && weight > 1e-14 / largest; i++)
            {
                double a = states[d + i, k], p = inputs[i, k];
                double q = 2 * (a - (_problem.Slopes[i].Lower * p)) * ((_problem.Slopes[i].Upper * p) - a);
                gradient[i] += weight * lambda[i] * q;
            }
        }

        return (Math.Log(largest) + (Math.Log(sum) / Power), largest, gradient);
    }

    // G'G + sum lambda_i Q_i.
    private Matrix<double> Assemble(double[] lambda)
    {
        int d = _problem.InputWidth;
        Matrix<double> form = _outputGram.Clone();
        Matrix<double> weighted = _pre.Clone();
        for (int i = 0; i < lambda.Length; i++)
        {
            weighted.SetRow(i, _pre.Row(i) * (-2 * _problem.Slopes[i].Lower * _problem.Slopes[i].Upper * lambda[i]));
        }

        form += _pre.TransposeThisAndMultiply(weighted);
        for (int i = 0; i < lambda.Length; i++)
        {
            double factor = lambda[i] * (_problem.Slopes[i].Lower + _problem.Slopes[i].Upper);
            for (int j = 0; j < d + i; j++)
            {
                double entry = factor * _pre[i, j];
                form[d + i, j] += entry;
                form[j, d + i] += entry;
            }

            form[d + i, d + i] -= 2 * lambda[i];
        }

        return form;
    }

    private static Matrix<double>? Solve(Matrix<double> positive, Matrix<double> right)
    {
        try
        {
            return positive.Cholesky().Solve(right);
        }
        catch (ArgumentException)
        {
            return null; // not positive definite
        }
    }
}
