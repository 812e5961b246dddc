using System.Runtime.CompilerServices;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Backends;

/// <content>The activations.</content>
public sealed partial class ReferenceBackend<T>
{
    /// <inheritdoc/>
    public void Activate(Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor y)
    {
        double[] theta = ReadParameters(f, parameters);
        int blocks = RequireStacked(pre, valueRows, "pre");
        RequireColumns(f, pre.Columns);
        Require(y, pre.Rows, f.OutputColumns(pre.Columns), "y");
        int n = pre.Columns;
        int half = n / 2;
        var input = new View(pre);
        var output = new View(y);
        for (int i = 0; i < valueRows; i++)
        {
            if (f == Activation.MaxMin)
            {
                for (int j = 0; j < half; j++)
                {
                    bool first = input[i, 2 * j] >= input[i, (2 * j) + 1];
                    for (int row = i; row < blocks * valueRows; row += valueRows)
                    {
                        output[row, j] = input[row, first ? 2 * j : (2 * j) + 1];
                        output[row, half + j] = input[row, first ? (2 * j) + 1 : 2 * j];
                    }
                }

                continue;
            }

            for (int j = 0; j < y.Columns; j++)
            {
                ScalarActivation.Jet jet = ScalarActivation.Evaluate(f, j >= n, input[i, j % n], theta);
                output[i, j] = jet.Value;
                for (int row = i + valueRows; row < blocks * valueRows; row += valueRows)
                {
                    output[row, j] = jet.First * input[row, j % n];
                }
            }
        }
    }

    /// <inheritdoc/>
    public void ActivationSlopes(Activation f, Tensor parameters, Tensor pre, Tensor slopes)
    {
        double[] theta = ReadParameters(f, parameters);
        RequireColumns(f, pre.Columns);
        Require(slopes, pre.Rows, f.SlopeColumns(pre.Columns), "slopes");
        int n = pre.Columns;
        var input = new View(pre);
        var output = new View(slopes);
        for (int i = 0; i < pre.Rows; i++)
        {
            for (int j = 0; j < slopes.Columns; j++)
            {
                output[i, j] = f == Activation.MaxMin
                    ? (input[i, 2 * j] >= input[i, (2 * j) + 1] ? 1 : 0)
                    : ScalarActivation.Evaluate(f, j >= n, input[i, j % n], theta).First;
            }
        }
    }

    /// <inheritdoc/>
    public void SlopeVjp(Activation f, Tensor slopes, Tensor w, Tensor result)
    {
        int n = result.Columns;
        int half = n / 2;
        RequireColumns(f, n);
        RequireBlocks(w, slopes.Rows, "w");
        Require(slopes, slopes.Rows, f.SlopeColumns(n), "slopes");
        Require(w, result.Rows, f.OutputColumns(n), "w");
        var slope = new View(slopes);
        var from = new View(w);
        var to = new View(result);
        for (int i = 0; i < w.Rows; i++)
        {
            int s = i % slopes.Rows;
            for (int j = 0; j < n; j++)
            {
                to[i, j] = f switch
                {
                    Activation.MaxMin => from[i, (slope[s, j / 2] != 0) == (j % 2 == 0) ? j / 2 : half + (j / 2)],
                    Activation.CLipSwish => (slope[s, j] * from[i, j]) + (slope[s, n + j] * from[i, n + j]),
                    _ => slope[s, j] * from[i, j],
                };
            }
        }
    }

    /// <inheritdoc/>
    public void SlopeJvp(Activation f, Tensor slopes, Tensor t, Tensor result)
    {
        int n = t.Columns;
        int half = n / 2;
        RequireColumns(f, n);
        RequireBlocks(t, slopes.Rows, "t");
        Require(slopes, slopes.Rows, f.SlopeColumns(n), "slopes");
        Require(result, t.Rows, f.OutputColumns(n), "result");
        var slope = new View(slopes);
        var from = new View(t);
        var to = new View(result);
        for (int i = 0; i < t.Rows; i++)
        {
            int s = i % slopes.Rows;
            for (int j = 0; j < result.Columns; j++)
            {
                to[i, j] = f == Activation.MaxMin
                    ? from[i, (2 * (j % half)) + ((slope[s, j % half] != 0) == (j < half) ? 0 : 1)]
                    : slope[s, j] * from[i, j % n];
            }
        }
    }

    /// <inheritdoc/>
    public void ActivationBackward(
        Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor gradient, Tensor preGradient, Tensor parameterGradient)
    {
        double[] theta = ReadParameters(f, parameters);
        int rows = RequireStacked(pre, valueRows, "pre") * valueRows;
        int n = pre.Columns;
        int half = n / 2;
        RequireColumns(f, n);
        Require(gradient, pre.Rows, f.OutputColumns(n), "gradient");
        Require(preGradient, pre.Rows, n, "preGradient");
        RequireParameters(f, parameterGradient, "parameterGradient");
        var input = new View(pre);
        var from = new View(gradient);
        var to = new View(preGradient);
        double by0 = 0;
        double by1 = 0;
        for (int i = 0; i < valueRows; i++)
        {
            for (int j = 0; j < n; j++)
            {
                if (f == Activation.MaxMin)
                {
                    bool first = input[i, j - (j % 2)] >= input[i, j - (j % 2) + 1];
                    for (int row = i; row < rows; row += valueRows)
                    {
                        to[row, j] = from[row, first == (j % 2 == 0) ? j / 2 : half + (j / 2)];
                    }

                    continue;
                }

                // Every output column that depends on input column j: j itself, and n + j for CLipSwish.
                ScalarActivation.Jet a = ScalarActivation.Evaluate(f, false, input[i, j], theta);
                ScalarActivation.Jet b = f == Activation.CLipSwish ? ScalarActivation.Evaluate(f, true, input[i, j], theta) : default;
                int other = f == Activation.CLipSwish ? n + j : j;
                double value = (a.First * from[i, j]) + (b.First * from[i, other]);
                by0 += (a.ValueBy0 * from[i, j]) + (b.ValueBy0 * from[i, other]);
                by1 += a.ValueBy1 * from[i, j];
                for (int row = i + valueRows; row < rows; row += valueRows)
                {
                    double tangent = input[row, j];
                    value += tangent * ((a.Second * from[row, j]) + (b.Second * from[row, other]));
                    by0 += tangent * ((a.FirstBy0 * from[row, j]) + (b.FirstBy0 * from[row, other]));
                    by1 += tangent * a.FirstBy1 * from[row, j];
                    to[row, j] = (a.First * from[row, j]) + (b.First * from[row, other]);
                }

                to[i, j] = value;
            }
        }

        var sums = new View(parameterGradient);
        for (int p = 0; p < theta.Length; p++)
        {
            sums[0, p] += p == 0 ? by0 : by1;
        }
    }

    private static double[] ReadParameters(Activation f, Tensor parameters, [CallerMemberName] string kernel = "")
    {
        RequireParameters(f, parameters, "parameters", kernel);
        double[] theta = new double[f.ParameterCount()];
        var from = new View(parameters);
        for (int p = 0; p < theta.Length; p++)
        {
            theta[p] = from[0, p];
        }

        return theta;
    }
}
