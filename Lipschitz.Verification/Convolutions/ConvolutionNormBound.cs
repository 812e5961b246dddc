using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Convolutions;

/// <summary>Proven upper bounds of the 2-norm of convolutions with zero padding and stride 1, rounding included.</summary>
/// <remarks>
/// <para>
/// One size: put the H x W image into a circle of N &gt;= H + (height-1)/2 by M points and leave the rest zero. An output inside reads a
/// wrapped point only where that is zero, so the zero-padded operator is a compression of the circular one, with any phase on what wraps:
/// its norm is at most the largest |A(theta)|_2 on the grid of N, M and twists. The periodic norm on H x W itself is no bound.
/// </para>
/// <para>
/// Every size: on a grid of N points an axis, sup |A| &lt;= max |A| / cos(r pi/N) an axis, r = (k-1)/2: for unit u, v the real
/// trigonometric polynomial Re u*A v has degree r, and M. Riesz's inequality bounds it between N &gt; 2r equidistant points.
/// </para>
/// </remarks>
public static class ConvolutionNormBound
{
    private const double Resolution = 1e-9;

    /// <summary>|T|_2 &lt;= Bound of the result, for images of rows x columns points.</summary>
    /// <param name="kernel">The weights.</param>
    /// <param name="rows">Height of the image.</param>
    /// <param name="columns">Width of the image.</param>
    /// <param name="largestExplicit">Use the explicit operator where its smaller side is at most this; about 4,096 is practical.</param>
    public static ConvolutionProof Prove(ConvolutionKernel kernel, int rows, int columns, int largestExplicit = 512)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (kernel.Weights.All(w => w == 0))
        {
            return Zero;
        }

        if ((long)Math.Min(kernel.Outputs, kernel.Inputs) * rows * columns <= largestExplicit)
        {
            int points = rows * columns;
            double bound = SpectralNormBound.Prove(kernel.ToMatrix(rows, columns), kernel.Outputs * points, kernel.Inputs * points).Bound;
            return new(bound, ConvolutionMethod.Explicit, null, bound, 0, 0, 0);
        }

        var scaled = new ScaledKernel(kernel);
        (FrequencyGrid grid, (int, int) peak) = GridChoice.Best(scaled, rows, columns);
        return OnGrid(scaled, grid, peak);
    }

    /// <summary>At least |T|_p, the p-norm on both sides, for images of rows x columns points.</summary>
    /// <remarks>
    /// p = 1 and infinity: with M the sum over taps of |K_tap|, and f_i the p-norm of channel i of x over all points, that of channel o of
    /// T x is at most sum_i M_oi f_i by Minkowski's inequality; so |T|_p &lt;= |M|_p. Between them and 2: Riesz-Thorin.
    /// </remarks>
    public static double ProveInduced(ConvolutionKernel kernel, int rows, int columns, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        bool isEnd = p == 1 || double.IsPositiveInfinity(p);
        double two = isEnd ? 0 : Prove(kernel, rows, columns).Bound;
        if (p == 2)
        {
            return two;
        }

        var sums = new double[kernel.Outputs * kernel.Inputs];
        for (int k = 0; k < kernel.Weights.Length; k++)
        {
            ref double sum = ref sums[(k / (kernel.Inputs * kernel.Height * kernel.Width) * kernel.Inputs) + (k % kernel.Inputs)];
            sum = Outward.AddUp(sum, Math.Abs(kernel.Weights[k]));
        }

        double end = p < 2 ? 1 : double.PositiveInfinity, atEnd = InducedNormBound.Prove(sums, kernel.Outputs, kernel.Inputs, end, end);
        return isEnd ? atEnd : InducedNormBound.Interpolate(p, two, atEnd);
    }

    /// <summary>|T|_2 &lt;= Bound of the result, for images of every size.</summary>
    /// <param name="kernel">The weights.</param>
    /// <param name="points">N, the points of an axis; the bound is above the supremum by at most 1/cos^2(r pi/N).</param>
    public static ConvolutionProof ProveEverySize(ConvolutionKernel kernel, int points = 32)
    {
        int largest = Math.Max(kernel.Height, kernel.Width);
        ArgumentOutOfRangeException.ThrowIfLessThan(points, largest);
        if (kernel.Weights.All(w => w == 0))
        {
            return Zero;
        }

        var scaled = new ScaledKernel(kernel);
        var grid = new FrequencyGrid(kernel.Height == 1 ? 1 : points, kernel.Width == 1 ? 1 : points, 0, 0);
        ConvolutionProof proof = OnGrid(scaled, grid, GridChoice.Peak(scaled, grid));
        double between = Outward.MultiplyDown(Cosine(kernel.Height, points), Cosine(kernel.Width, points));
        return proof with { Bound = Outward.DivideUp(proof.Bound, between), Method = ConvolutionMethod.EverySize };

        static double Cosine(int size, int points) => IntervalFunctions.CosSinPi(size / 2, points).Cos.Lower;
    }

    /// <summary>Whether |A|_2 &lt;= bound is proven at every frequency of a grid that contains the zero-padded operator.</summary>
    /// <exception cref="ArgumentException">The grid is too small for the image: it would prove nothing.</exception>
    public static bool Check(ConvolutionKernel kernel, int rows, int columns, FrequencyGrid grid, double bound)
    {
        if (grid.Rows < 1 || grid.Columns < 1 || grid.RowTwist is not (0 or 1) || grid.ColumnTwist is not (0 or 1))
        {
            throw new ArgumentException($"{grid} has no frequencies or a twist other than 0 and 1.", nameof(grid));
        }

        ThrowUnlessContains(kernel.Height, rows, grid.Rows);
        ThrowUnlessContains(kernel.Width, columns, grid.Columns);
        if (kernel.Weights.All(w => w == 0))
        {
            return bound >= 0;
        }

        var scaled = new ScaledKernel(kernel);
        double t = Outward.SubtractDown(Outward.ScaleDown(bound, -scaled.Exponent), scaled.SymbolError);
        return t > 0 && double.IsFinite(t) && Failures(scaled, grid, [.. grid.Half()], t).Count == 0;
    }

    private static ConvolutionProof Zero { get; } = new(0, ConvolutionMethod.Zero, null, 0, 0, 0, 0);

    private static ConvolutionProof OnGrid(ScaledKernel kernel, FrequencyGrid grid, (int Row, int Column) peak)
    {
        (int Row, int Column)[] frequencies = [.. grid.Half()];
        var room = new SymbolGram(kernel);
        room.Evaluate(grid, peak.Row, peak.Column);
        double t = room.Bound(Resolution);

        // A frequency proven at t stays proven when t grows, so only the failures are looked at again, in order.
        foreach ((int row, int column) in Failures(kernel, grid, frequencies, t))
        {
            room.Evaluate(grid, row, column);
            if (!room.Proves(t))
            {
                t = Math.Max(t, room.Bound(Resolution));
            }
        }

        double bound = Outward.ScaleUp(Outward.AddUp(t, kernel.SymbolError), kernel.Exponent);
        return new(bound, ConvolutionMethod.Grid, grid, bound, frequencies.Length, kernel.SymbolError, kernel.Exponent);
    }

    private static List<(int Row, int Column)> Failures(ScaledKernel kernel, FrequencyGrid grid, (int Row, int Column)[] frequencies, double t)
    {
        var failed = new bool[frequencies.Length];
        Parallel.For(
            0, frequencies.Length, BoundedLoop.Inner, () => new SymbolGram(kernel),
            (i, _, room) =>
            {
                room.Evaluate(grid, frequencies[i].Row, frequencies[i].Column);
                failed[i] = !room.Proves(t);
                return room;
            },
            _ => { });
        return [.. frequencies.Where((_, i) => failed[i])];
    }

    // A kernel of one tap in a direction does not mix points in it: one frequency is enough.
    private static void ThrowUnlessContains(int size, int image, int circle)
    {
        if (size > 1 && circle < image + (size / 2))
        {
            throw new ArgumentException(
                $"A circle of {circle} points does not contain {image} with {size} taps: at least {image + (size / 2)} are needed.");
        }
    }
}
