using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Backends;

/// <content>Rows, columns and sums; ActNorm; the optimiser.</content>
public sealed partial class ReferenceBackend<T>
{
    /// <inheritdoc/>
    public void AddRow(Tensor row, Tensor y)
    {
        Require(row, 1, y.Columns, "row");
        var from = new View(row);
        var to = new View(y);
        for (int i = 0; i < y.Rows; i++)
        {
            for (int j = 0; j < y.Columns; j++)
            {
                to[i, j] += from[0, j];
            }
        }
    }

    /// <inheritdoc/>
    public void ColumnSums(Tensor x, double beta, Tensor sums)
    {
        Require(sums, 1, x.Columns, "sums");
        var from = new View(x);
        var to = new View(sums);
        for (int j = 0; j < x.Columns; j++)
        {
            double sum = 0;
            for (int i = 0; i < x.Rows; i++)
            {
                sum += from[i, j];
            }

            to[0, j] = beta == 0 ? sum : sum + (beta * to[0, j]);
        }
    }

    /// <inheritdoc/>
    public void ColumnMoments(Tensor x, Tensor mean, Tensor variance)
    {
        Require(mean, 1, x.Columns, "mean");
        Require(variance, 1, x.Columns, "variance");
        if (x.Rows == 0)
        {
            return;
        }

        var from = new View(x);
        var means = new View(mean);
        var variances = new View(variance);
        for (int j = 0; j < x.Columns; j++)
        {
            double sum = 0;
            for (int i = 0; i < x.Rows; i++)
            {
                sum += from[i, j];
            }

            double centre = sum / x.Rows;
            double squares = 0;
            for (int i = 0; i < x.Rows; i++)
            {
                squares += (from[i, j] - centre) * (from[i, j] - centre);
            }

            means[0, j] = centre;
            variances[0, j] = squares / x.Rows;
        }
    }

    /// <inheritdoc/>
    public void RowDots(double alpha, Tensor x, Tensor y, double beta, Tensor dots)
    {
        Require(y, x.Rows, x.Columns, "y");
        Require(dots, x.Rows, 1, "dots");
        var left = new View(x);
        var right = new View(y);
        var to = new View(dots);
        for (int i = 0; i < x.Rows; i++)
        {
            double sum = 0;
            for (int j = 0; j < x.Columns; j++)
            {
                sum += left[i, j] * right[i, j];
            }

            to[i, 0] = beta == 0 ? alpha * sum : (alpha * sum) + (beta * to[i, 0]);
        }
    }

    /// <inheritdoc/>
    public void ScaleRows(Tensor factors, Tensor x, Tensor y)
    {
        Require(factors, factors.Rows, 1, "factors");
        RequireBlocks(x, factors.Rows, "x");
        Require(y, x.Rows, x.Columns, "y");
        var factor = new View(factors);
        var from = new View(x);
        var to = new View(y);
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < x.Columns; j++)
            {
                to[i, j] = factor[i % factors.Rows, 0] * from[i, j];
            }
        }
    }

    /// <inheritdoc/>
    public void Axpby(double alpha, Tensor x, double beta, Tensor y)
    {
        Require(y, x.Rows, x.Columns, "y");
        var from = new View(x);
        var to = new View(y);
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < x.Columns; j++)
            {
                to[i, j] = beta == 0 ? alpha * from[i, j] : (alpha * from[i, j]) + (beta * to[i, j]);
            }
        }
    }

    /// <inheritdoc/>
    public bool AllFinite(Tensor x)
    {
        var from = new View(x);
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < x.Columns; j++)
            {
                if (!double.IsFinite(from[i, j]))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // ---- ActNorm ----

    /// <inheritdoc/>
    public void ActNormForward(Tensor x, Tensor shift, Tensor logScale, int rowsPerSample, Tensor y, Tensor logDet)
    {
        Require(shift, 1, x.Columns, "shift");
        Require(logScale, 1, x.Columns, "logScale");
        Require(y, x.Rows, x.Columns, "y");
        Require(logDet, logDet.Rows, 1, "logDet");
        Require(x, logDet.Rows * rowsPerSample, x.Columns, "x");
        var from = new View(x);
        var shifts = new View(shift);
        var scales = new View(logScale);
        var to = new View(y);
        var sums = new View(logDet);
        double sum = 0;
        for (int j = 0; j < x.Columns; j++)
        {
            sum += scales[0, j];
            for (int i = 0; i < x.Rows; i++)
            {
                to[i, j] = (from[i, j] + shifts[0, j]) * Math.Exp(scales[0, j]);
            }
        }

        for (int i = 0; i < logDet.Rows; i++)
        {
            sums[i, 0] += rowsPerSample * sum;
        }
    }

    /// <inheritdoc/>
    public void ActNormInverse(Tensor y, Tensor shift, Tensor logScale, Tensor x)
    {
        Require(shift, 1, y.Columns, "shift");
        Require(logScale, 1, y.Columns, "logScale");
        Require(x, y.Rows, y.Columns, "x");
        var from = new View(y);
        var shifts = new View(shift);
        var scales = new View(logScale);
        var to = new View(x);
        for (int i = 0; i < y.Rows; i++)
        {
            for (int j = 0; j < y.Columns; j++)
            {
                to[i, j] = (from[i, j] * Math.Exp(-scales[0, j])) - shifts[0, j];
            }
        }
    }

    /// <inheritdoc/>
    public void ActNormBackward(
        Tensor y, Tensor logScale, int rowsPerSample, Tensor yGradient, Tensor logDetGradient, Tensor xGradient,
        Tensor shiftGradient, Tensor logScaleGradient)
    {
        Require(logScale, 1, y.Columns, "logScale");
        Require(yGradient, y.Rows, y.Columns, "yGradient");
        Require(logDetGradient, logDetGradient.Rows, 1, "logDetGradient");
        Require(y, logDetGradient.Rows * rowsPerSample, y.Columns, "y");
        Require(xGradient, y.Rows, y.Columns, "xGradient");
        Require(shiftGradient, 1, y.Columns, "shiftGradient");
        Require(logScaleGradient, 1, y.Columns, "logScaleGradient");
        var output = new View(y);
        var scales = new View(logScale);
        var from = new View(yGradient);
        var volumes = new View(logDetGradient);
        var to = new View(xGradient);
        var shifts = new View(shiftGradient);
        var logs = new View(logScaleGradient);
        double volume = 0;
        for (int i = 0; i < logDetGradient.Rows; i++)
        {
            volume += volumes[i, 0];
        }

        for (int j = 0; j < y.Columns; j++)
        {
            double scale = Math.Exp(scales[0, j]);
            double shiftSum = 0;
            double logSum = 0;
            for (int i = 0; i < y.Rows; i++)
            {
                double g = from[i, j];
                shiftSum += g * scale;
                logSum += g * output[i, j];
                to[i, j] = g * scale;
            }

            shifts[0, j] += shiftSum;
            logs[0, j] += logSum + (rowsPerSample * volume);
        }
    }

    // ---- optimiser ----

    /// <inheritdoc/>
    public void Norm(Tensor x, Tensor norm)
    {
        Require(norm, 1, 1, "norm");
        var from = new View(x);
        var to = new View(norm);
        double sum = 0;
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < x.Columns; j++)
            {
                sum += from[i, j] * from[i, j];
            }
        }

        to[0, 0] = Math.Sqrt(sum);
    }

    /// <inheritdoc/>
    public void Adam(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor average, Tensor norm, double clip,
        AdamStep step)
    {
        int n = parameters.Columns;
        Require(parameters, 1, n, "parameters");
        Require(gradient, 1, n, "gradient");
        Require(firstMoment, 1, n, "firstMoment");
        Require(secondMoment, 1, n, "secondMoment");
        Require(average, 1, n, "average");
        Require(norm, 1, 1, "norm");
        var parameter = new View(parameters);
        var from = new View(gradient);
        var first = new View(firstMoment);
        var second = new View(secondMoment);
        var mean = new View(average);
        double factor = double.IsPositiveInfinity(clip) ? 1 : Math.Min(1, clip / new View(norm)[0, 0]);
        double correction1 = 1 - Math.Pow(step.Beta1, step.Step);
        double correction2 = 1 - Math.Pow(step.Beta2, step.Step);
        for (int j = 0; j < n; j++)
        {
            double g = factor * from[0, j];
            double m = (step.Beta1 * first[0, j]) + ((1 - step.Beta1) * g);
            double v = (step.Beta2 * second[0, j]) + ((1 - step.Beta2) * g * g);
            double p = parameter[0, j] - (step.LearningRate * (m / correction1) / (Math.Sqrt(v / correction2) + step.Epsilon));
            first[0, j] = m;
            second[0, j] = v;
            parameter[0, j] = p;
            mean[0, j] = (step.AverageDecay * mean[0, j]) + ((1 - step.AverageDecay) * p);
        }
    }
}
