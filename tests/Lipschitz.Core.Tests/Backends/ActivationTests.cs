using Lipschitz.Backends;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Backends;

public class ActivationTests
{
    private const int Columns = 6;

    public static TheoryData<Activation> All => [.. Enum.GetValues<Activation>()];

    public static TheoryData<Activation, int> AllWithTangents
    {
        get
        {
            TheoryData<Activation, int> data = [];
            foreach (Activation f in Enum.GetValues<Activation>())
            {
                for (int tangents = 0; tangents <= 2; tangents++)
                {
                    data.Add(f, tangents);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_values_follow_the_formula(Activation f)
    {
        double[] theta = Parameters(f);
        double[] pre = AwayFromKinks(new Random(1), 5 * Columns);
        double[] expected = [.. Enumerable.Range(0, 5).SelectMany(i => Formula(f, pre[(i * Columns)..((i + 1) * Columns)], theta))];
        Close(expected, Activate(f, theta, pre, 5));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Tangent_rows_are_directional_derivatives_of_the_formula(Activation f)
    {
        var random = new Random(2);
        double[] theta = Parameters(f);
        double[] pre = AwayFromKinks(random, Columns);
        double[] tangents = Normal(random, 2 * Columns);
        double[] y = Activate(f, theta, [.. pre, .. tangents], 1);
        int width = f.OutputColumns(Columns);
        for (int t = 0; t < 2; t++)
        {
            double[] direction = tangents[(t * Columns)..((t + 1) * Columns)];
            double[] expected = [.. Enumerable.Range(0, width).Select(j => Gradient(
                h => Formula(f, [.. pre.Zip(direction, (x, d) => x + (h[0] * d))], theta)[j], [0])[0])];
            CloseToDifferences(expected, y[((t + 1) * width)..((t + 2) * width)]);
        }
    }

    [Theory]
    [MemberData(nameof(AllWithTangents))]
    public void Backward_equals_central_differences_in_pre_tangents_and_parameters(Activation f, int tangents)
    {
        var random = new Random(3);
        const int Rows = 3;
        int stacked = Rows * (1 + tangents);
        double[] theta = Parameters(f);
        double[] pre = [.. AwayFromKinks(random, Rows * Columns), .. Normal(random, Rows * tangents * Columns)];
        double[] gradient = Normal(random, stacked * f.OutputColumns(Columns));
        Tensor preGradient = NaNs(stacked, Columns);
        Tensor parameterGradient = Tensor(1, theta.Length, [.. theta.Select(_ => 7.0)]);
        Backend.ActivationBackward(
            f, Tensor(1, theta.Length, theta), Tensor(stacked, Columns, pre), Rows,
            Tensor(stacked, f.OutputColumns(Columns), gradient), preGradient, parameterGradient);
        CloseToDifferences(Gradient(a => Dot(gradient, Activate(f, theta, a, Rows)), pre), preGradient.Read());
        double[] added = [.. parameterGradient.Read().Select(g => g - 7)];
        CloseToDifferences(Gradient(p => Dot(gradient, Activate(f, p, pre, Rows)), theta), added);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Backward_may_overwrite_its_gradient_where_elementwise(Activation f)
    {
        if (!f.IsElementwise())
        {
            return;
        }

        var random = new Random(4);
        double[] theta = Parameters(f);
        Tensor pre = Tensor(6, Columns, AwayFromKinks(random, 6 * Columns));
        Tensor gradient = Tensor(6, Columns, Normal(random, 6 * Columns));
        Tensor apart = NaNs(6, Columns);
        Tensor parameters = Tensor(1, theta.Length, theta);
        Backend.ActivationBackward(f, parameters, pre, 2, gradient, apart, Tensor(1, theta.Length, new double[theta.Length]));
        Backend.ActivationBackward(f, parameters, pre, 2, gradient, gradient, Tensor(1, theta.Length, new double[theta.Length]));
        Assert.Equal(apart.Read(), gradient.Read());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_slopes_act_as_the_Jacobian_of_the_formula(Activation f)
    {
        var random = new Random(5);
        const int Rows = 2;
        const int Blocks = 3;
        double[] theta = Parameters(f);
        double[] pre = AwayFromKinks(random, Rows * Columns);
        double[] directions = Normal(random, Blocks * Rows * Columns);
        Tensor image = NaNs(Blocks * Rows, f.OutputColumns(Columns));
        Backend.SlopeJvp(f, Slopes(f, theta, pre, Rows), Tensor(Blocks * Rows, Columns, directions), image);
        int width = f.OutputColumns(Columns);
        for (int i = 0; i < Blocks * Rows; i++)
        {
            double[] at = pre[(i % Rows * Columns)..(((i % Rows) + 1) * Columns)];
            double[] direction = directions[(i * Columns)..((i + 1) * Columns)];
            double[] expected = [.. Enumerable.Range(0, width).Select(j => Gradient(
                h => Formula(f, [.. at.Zip(direction, (x, d) => x + (h[0] * d))], theta)[j], [0])[0])];
            CloseToDifferences(expected, image.RowRange(i, 1).Read());
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_two_slope_products_are_adjoint(Activation f)
    {
        var random = new Random(6);
        const int Rows = 4;
        double[] theta = Parameters(f);
        Tensor slopes = Slopes(f, theta, Normal(random, Rows * Columns), Rows);
        double[] t = Normal(random, 2 * Rows * Columns);
        double[] w = Normal(random, 2 * Rows * f.OutputColumns(Columns));
        Tensor forward = NaNs(2 * Rows, f.OutputColumns(Columns));
        Tensor back = NaNs(2 * Rows, Columns);
        Backend.SlopeJvp(f, slopes, Tensor(2 * Rows, Columns, t), forward);
        Backend.SlopeVjp(f, slopes, Tensor(2 * Rows, f.OutputColumns(Columns), w), back);
        Close(Dot(w, forward.Read()), Dot(back.Read(), t));
    }

    [Fact]
    public void MaxMin_gives_equal_numbers_to_the_first_of_the_pair()
    {
        Assert.Equal([1], Slopes(Activation.MaxMin, [], [2, 2], 1).Read());
        Assert.Equal([2, 6, 2, 5], Activate(Activation.MaxMin, [], [2, 2, 5, 6], 1, 4));
    }

    [Fact]
    public void The_tangents_of_equal_numbers_follow_the_first_of_the_pair() =>
        Assert.Equal([2, 2, 0.25, -4], Activate(Activation.MaxMin, [], [2, 2, 0.25, -4], 1, 2));

    [Fact]
    public void The_slope_of_ReLU_at_zero_is_zero() => Assert.Equal([0, 0, 1], Slopes(Activation.ReLU, [], [-1, 0, 1], 1).Read());

    [Theory]
    [MemberData(nameof(All))]
    public void Huge_arguments_and_parameters_stay_finite(Activation f)
    {
        foreach (double parameter in (double[])[-1000, -40, 40, 1000])
        {
            double[] theta = [.. Parameters(f).Select(_ => parameter)];
            double[] pre = [-1e30, -1000, -40, 40, 1000, 1e30];
            Tensor parameters = Tensor(1, theta.Length, theta);
            Tensor y = NaNs(1, f.OutputColumns(6));
            Backend.Activate(f, parameters, Tensor(1, 6, pre), 1, y);
            Assert.True(Backend.AllFinite(y));
            Assert.True(Backend.AllFinite(Slopes(f, theta, pre, 1)));
        }
    }

    [Fact]
    public void MaxMin_refuses_an_odd_number_of_columns() =>
        Assert.Throws<ShapeMismatchException>(() => Activate(Activation.MaxMin, [], [1, 2, 3], 1, 3));

    [Fact]
    public void Stacked_rows_must_be_a_multiple_of_the_value_rows() =>
        Assert.Throws<ShapeMismatchException>(() => Activate(Activation.Tanh, [], [1, 2, 3], 2, 1));

    private static double[] Parameters(Activation f) => [.. f.InitialParameters().Select((p, i) => p + 0.3 + i)];

    private static double[] Activate(Activation f, double[] theta, double[] pre, int valueRows, int columns = Columns)
    {
        int rows = pre.Length / columns;
        Tensor y = NaNs(rows, f.OutputColumns(columns));
        Backend.Activate(f, Tensor(1, theta.Length, theta), Tensor(rows, columns, pre), valueRows, y);
        return y.Read();
    }

    private static Tensor Slopes(Activation f, double[] theta, double[] pre, int rows)
    {
        Tensor slopes = NaNs(rows, f.SlopeColumns(pre.Length / rows));
        Backend.ActivationSlopes(f, Tensor(1, theta.Length, theta), Tensor(rows, pre.Length / rows, pre), slopes);
        return slopes;
    }

    /// <summary>One row by the formula in the documentation of <see cref="Activation"/>, as written there.</summary>
    private static double[] Formula(Activation f, double[] x, double[] theta)
    {
        static double Sigmoid(double z) => 1 / (1 + Math.Exp(-z));
        static double Swish(double z, double beta) => z * Sigmoid(Math.Log(1 + Math.Exp(beta)) * z) / 1.1;
        return f switch
        {
            Activation.Identity => x,
            Activation.ReLU => [.. x.Select(z => Math.Max(z, 0))],
            Activation.Elu => [.. x.Select(z => z > 0 ? z : Math.Exp(z) - 1)],
            Activation.Tanh => [.. x.Select(z => (Math.Exp(z) - Math.Exp(-z)) / (Math.Exp(z) + Math.Exp(-z)))],
            Activation.Softplus => [.. x.Select(z => Math.Log(1 + Math.Exp(z)))],
            Activation.LipSwish => [.. x.Select(z => Swish(z, theta[0]))],
            Activation.CLipSwish => [.. x.Concat(x.Select(z => -z)).Select(z => Swish(z, theta[0]) / 1.004)],
            Activation.LeakyLSwish => [.. x.Select(z => (Sigmoid(theta[0]) * z) + ((1 - Sigmoid(theta[0])) * Swish(z, theta[1])))],
            Activation.LipschitzCube => [.. x.Select(z => Math.Abs(z) < 1 ? z * z * z / 3 : z - (2.0 / 3 * Math.Sign(z)))],
            Activation.MaxMin => [.. x.Chunk(2).Select(pair => pair.Max()), .. x.Chunk(2).Select(pair => pair.Min())],
            _ => throw new ArgumentOutOfRangeException(nameof(f)),
        };
    }
}
