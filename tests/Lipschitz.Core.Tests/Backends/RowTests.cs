using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Backends;

/// <summary>Memory, products, rows and columns, ActNorm, the optimiser, random fills.</summary>
public class RowTests
{
    [Fact]
    public void Both_precisions_can_be_made_by_name()
    {
        using IBackend single = ReferenceBackend.Create(Precision.Float32);
        using IBackend twice = ReferenceBackend.Create(Precision.Float64);
        Assert.Equal((Precision.Float32, Precision.Float64), (single.Precision, twice.Precision));
        Assert.Equal(("reference-float32", "reference-float64"), (single.Name, twice.Name));
        Tensor x = single.Allocate(1, 1);
        single.Upload([0.1], x);
        double[] back = [0];
        single.Download(x, back);
        Assert.Equal(0.1f, back[0]);
    }

    [Fact]
    public void Every_index_is_called_once_and_failures_are_gathered()
    {
        int[] calls = new int[10];
        Backend.Parallel(10, i => calls[i]++);
        Assert.All(calls, c => Assert.Equal(1, c));
        AggregateException failure = Assert.Throws<AggregateException>(
            () => Backend.Parallel(4, i => calls[i] = i == 1 || i == 3 ? throw new InvalidOperationException() : 5));
        Assert.Equal(2, failure.InnerExceptions.Count);
        Assert.Equal([5, 1, 5], calls[..3]);
        Backend.Parallel(0, _ => Assert.Fail("no calls"));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_product_follows_the_definition_packed_or_not(bool transposeA, bool transposeB)
    {
        // [1 2 3; 4 5 6] [1 0; 2 1; 0 3] = [5 11; 14 23]
        Tensor a = transposeA ? Tensor(3, 2, 1, 4, 2, 5, 3, 6) : Tensor(2, 3, 1, 2, 3, 4, 5, 6);
        Tensor b = transposeB ? Tensor(2, 3, 1, 2, 0, 0, 1, 3) : Tensor(3, 2, 1, 0, 2, 1, 0, 3);
        Tensor c = NaNs(2, 2);
        Backend.Multiply(a, transposeA, b, transposeB, 0, c);
        Assert.Equal([5, 11, 14, 23], c.Read());
        Backend.Multiply(a, transposeA, b, transposeB, -0.5, c);
        Assert.Equal([2.5, 5.5, 7, 11.5], c.Read());
        if (!transposeA)
        {
            PackedMatrix packed = Backend.CreatePacked(3, 2);
            Backend.Pack(b, transposeB, packed);
            Backend.Fill(c, double.NaN);
            Backend.Multiply(a, packed, 0, c);
            Assert.Equal([5, 11, 14, 23], c.Read());
        }
    }

    [Fact]
    public void Packing_at_a_row_stacks_matrices()
    {
        PackedMatrix packed = Backend.CreatePacked(3, 2);
        Backend.Pack(Tensor(1, 2, 1, 2), false, packed);
        Backend.Pack(Tensor(2, 2, 3, 5, 4, 6), true, packed, 1);
        Tensor c = NaNs(3, 2);
        Backend.Multiply(Tensor(3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1), packed, 0, c);
        Assert.Equal([1, 2, 3, 4, 5, 6], c.Read());
        Assert.Throws<ShapeMismatchException>(() => Backend.Pack(Tensor(2, 2, 3, 5, 4, 6), true, packed, 2));
    }

    [Fact]
    public void Products_with_nothing_inside_are_zero()
    {
        Tensor c = NaNs(2, 2);
        Backend.Multiply(Backend.Allocate(2, 0), false, Backend.Allocate(0, 2), false, 0, c);
        Assert.Equal([0, 0, 0, 0], c.Read());
    }

    [Fact]
    public void With_beta_zero_the_old_value_is_not_read()
    {
        Tensor y = NaNs(1, 2);
        Backend.Axpby(2, Tensor(1, 2, 1, 2), 0, y);
        Assert.Equal([2, 4], y.Read());
        Backend.Fill(y, double.NaN);
        Backend.ColumnSums(Tensor(2, 2, 1, 2, 3, 4), 0, y);
        Assert.Equal([4, 6], y.Read());
        Tensor dots = NaNs(2, 1);
        Backend.RowDots(2, Tensor(2, 2, 1, 2, 3, 4), Tensor(2, 2, 5, 6, 7, 8), 0, dots);
        Assert.Equal([34, 106], dots.Read());
    }

    [Fact]
    public void With_beta_the_old_value_is_scaled()
    {
        Tensor y = Tensor(1, 2, 10, 20);
        Backend.Axpby(2, Tensor(1, 2, 1, 2), 0.5, y);
        Assert.Equal([7, 14], y.Read());
        Backend.ColumnSums(Tensor(2, 2, 1, 2, 3, 4), -1, y);
        Assert.Equal([-3, -8], y.Read());
        Tensor dots = Tensor(2, 1, 1, 2);
        Backend.RowDots(2, Tensor(2, 2, 1, 2, 3, 4), Tensor(2, 2, 5, 6, 7, 8), 10, dots);
        Assert.Equal([44, 126], dots.Read());
    }

    [Fact]
    public void Rows_are_added_and_scaled_in_turn()
    {
        Tensor y = Tensor(4, 2, 1, 2, 3, 4, 5, 6, 7, 8);
        Backend.AddRow(Tensor(1, 2, 10, 20), y);
        Assert.Equal([11, 22, 13, 24, 15, 26, 17, 28], y.Read());
        Backend.ScaleRows(Tensor(2, 1, 2, -1), y, y);
        Assert.Equal([22, 44, -13, -24, 30, 52, -17, -28], y.Read());
        Assert.Throws<ShapeMismatchException>(() => Backend.ScaleRows(Tensor(3, 1, 1, 1, 1), y, y));
    }

    [Fact]
    public void Moments_of_a_column_far_from_zero_are_accurate()
    {
        Tensor mean = NaNs(1, 2);
        Tensor variance = NaNs(1, 2);
        Backend.ColumnMoments(Tensor(4, 2, 1e9 + 1, 1, 1e9 + 2, 1, 1e9 + 3, 1, 1e9 + 4, 1), mean, variance);
        Assert.Equal([1e9 + 2.5, 1], mean.Read());
        Assert.Equal([1.25, 0], variance.Read());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Finiteness_looks_at_every_element_of_the_view_and_at_no_other(double bad)
    {
        Tensor wide = Tensor(2, 3, 1, 2, bad, 3, 4, bad);
        Assert.True(Backend.AllFinite(wide.ColumnRange(0, 2)));
        Assert.False(Backend.AllFinite(wide.ColumnRange(1, 2)));
        Assert.True(Backend.AllFinite(wide.RowRange(1, 0)));
    }

    [Fact]
    public void ActNorm_is_undone_by_its_inverse_and_adds_its_log_determinant()
    {
        var random = new Random(1);
        double[] x = Normal(random, 12);
        Tensor shift = Tensor(1, 2, Normal(random, 2));
        Tensor logScale = Tensor(1, 2, 0.3, -1.1);
        Tensor y = NaNs(6, 2);
        Tensor logDet = Tensor(3, 1, 1, 2, 3);
        Backend.ActNormForward(Tensor(6, 2, x), shift, logScale, 2, y, logDet);
        Close([1 - 1.6, 2 - 1.6, 3 - 1.6], logDet.Read()); // 2 rows a sample times (0.3 - 1.1)
        Close((x[1] + shift.Read()[1]) * Math.Exp(-1.1), y.Read()[1]);
        Backend.ActNormInverse(y, shift, logScale, y);
        Close(x, y.Read());
    }

    [Fact]
    public void The_ActNorm_gradient_equals_central_differences()
    {
        var random = new Random(2);
        double[] x = Normal(random, 12);
        double[] shift = Normal(random, 2);
        double[] logScale = Normal(random, 2);
        double[] yGradient = Normal(random, 12);
        double[] volumeGradient = Normal(random, 3);
        double Loss(double[] input, double[] shifts, double[] scales)
        {
            Tensor output = NaNs(6, 2);
            Tensor volume = Backend.Allocate(3, 1);
            Backend.ActNormForward(Tensor(6, 2, input), Tensor(1, 2, shifts), Tensor(1, 2, scales), 2, output, volume);
            return Dot(yGradient, output.Read()) + Dot(volumeGradient, volume.Read());
        }

        Tensor y = NaNs(6, 2);
        Backend.ActNormForward(Tensor(6, 2, x), Tensor(1, 2, shift), Tensor(1, 2, logScale), 2, y, Backend.Allocate(3, 1));
        Tensor gradient = Tensor(6, 2, yGradient);
        Tensor shiftGradient = Tensor(1, 2, 3, 4);
        Tensor logScaleGradient = Tensor(1, 2, 5, 6);
        Backend.ActNormBackward(
            y, Tensor(1, 2, logScale), 2, gradient, Tensor(3, 1, volumeGradient), gradient, shiftGradient, logScaleGradient);
        CloseToDifferences(Gradient(v => Loss(v, shift, logScale), x), gradient.Read());
        double[] byShift = Gradient(v => Loss(x, v, logScale), shift);
        double[] byScale = Gradient(v => Loss(x, shift, v), logScale);
        CloseToDifferences([byShift[0] + 3, byShift[1] + 4], shiftGradient.Read());
        CloseToDifferences([byScale[0] + 5, byScale[1] + 6], logScaleGradient.Read());
    }

    [Fact]
    public void A_norm_is_the_root_of_the_sum_of_squares()
    {
        Tensor norm = NaNs(1, 1);
        Backend.Norm(Tensor(1, 3, 2, -3, 6), norm);
        Assert.Equal([7], norm.Read());
        Backend.Norm(Backend.Allocate(1, 0), norm);
        Assert.Equal([0], norm.Read());
    }

    [Fact]
    public void Three_steps_of_Adam_agree_with_hand_computation()
    {
        // beta1 = beta2 = 1/2, rate 1, epsilon 0, average decay 3/4; gradients 4 and -2, each clipped to half, then 1/2:
        //   step 1: m = 1,    v = 2,     m^ = 2,    v^ = 4:    p = 10 - 1 = 9,           a = 7.5 + 2.25 = 9.75
        //   step 2: m = 0,    v = 1.5,   m^ = 0,    v^ = 2:    p = 9,                    a = 7.3125 + 2.25 = 9.5625
        //   step 3: m = 0.25, v = 0.875, m^ = 2/7,  v^ = 1:    p = 9 - 2/7,              a = 9.421875 - 1/14
        Tensor p = Tensor(1, 1, 10);
        Tensor m = Tensor(1, 1, 0);
        Tensor v = Tensor(1, 1, 0);
        Tensor a = Tensor(1, 1, 10);
        var step = new AdamStep(1, 1, 0.5, 0.5, 0, 0.75);
        Backend.Adam(p, Tensor(1, 1, 4), m, v, a, Tensor(1, 1, 4), 2, step);
        Assert.Equal((9, 1, 2, 9.75), (p.Read()[0], m.Read()[0], v.Read()[0], a.Read()[0]));
        Backend.Adam(p, Tensor(1, 1, -2), m, v, a, Tensor(1, 1, 2), 1, step with { Step = 2 });
        Assert.Equal((9, 0, 1.5, 9.5625), (p.Read()[0], m.Read()[0], v.Read()[0], a.Read()[0]));
        Backend.Adam(p, Tensor(1, 1, 0.5), m, v, a, Tensor(1, 1, 0), 1, step with { Step = 3 });
        Close([9 - (2.0 / 7), 0.25, 0.875, 9.421875 - (1.0 / 14)], [p.Read()[0], m.Read()[0], v.Read()[0], a.Read()[0]]);
    }

    [Fact]
    public void Adam_with_usual_numbers_agrees_with_hand_computation()
    {
        // Constant gradient g: m^ = g and v^ = g^2 at every step, so each step is rate g / (|g| + epsilon).
        Tensor p = Tensor(1, 2, 1, 2);
        Tensor m = Backend.Allocate(1, 2);
        Tensor v = Backend.Allocate(1, 2);
        Tensor a = Tensor(1, 2, 1, 2);
        for (int t = 1; t <= 3; t++)
        {
            Backend.Adam(
                p, Tensor(1, 2, 0.25, -3), m, v, a, NaNs(1, 1), double.PositiveInfinity,
                new AdamStep(t, 0.001, 0.9, 0.99, 1e-8, 0.5));
        }

        Close([1 - (0.003 * 0.25 / (0.25 + 1e-8)), 2 + (0.003 * 3 / (3 + 1e-8))], p.Read());
    }

    [Fact]
    public void A_gradient_shorter_than_the_clip_is_not_lengthened()
    {
        Tensor m = Backend.Allocate(1, 1);
        Backend.Adam(
            Tensor(1, 1, 0), Tensor(1, 1, 1), m, Backend.Allocate(1, 1), Backend.Allocate(1, 1), Tensor(1, 1, 1), 100,
            new AdamStep(1, 1, 0.5, 0.5, 1e-8, 0.5));
        Assert.Equal([0.5], m.Read());
    }

    [Fact]
    public void Random_rows_do_not_depend_on_where_a_fill_starts()
    {
        var key = new RandomKey(1, RandomPurpose.Test);
        Tensor all = NaNs(6, 5);
        Tensor part = NaNs(2, 5);
        Backend.FillNormal(key, 10, all);
        Backend.FillNormal(key, 13, part);
        Assert.Equal(all.RowRange(3, 2).Read(), part.Read());
        Assert.True(Backend.AllFinite(all));
        Backend.FillSigns(key, 10, all);
        Backend.FillSigns(key, 13, part);
        Assert.Equal(all.RowRange(3, 2).Read(), part.Read());
        Assert.All(all.Read(), x => Assert.Equal(1, Math.Abs(x)));
    }

    [Fact]
    public void Wrong_shapes_are_refused_by_name()
    {
        ShapeMismatchException failure = Assert.Throws<ShapeMismatchException>(
            () => Backend.AddRow(Backend.Allocate(1, 2), Backend.Allocate(4, 3)));
        Assert.Contains("AddRow: row has shape [1, 2], expected [1, 3]", failure.Message, StringComparison.Ordinal);
    }
}
