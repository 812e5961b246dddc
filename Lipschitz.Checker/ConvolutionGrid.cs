namespace Lipschitz.Checker;

/// <summary>The rule "conv-grid": a bound of a convolution with stride 1 and zeros around the picture, from its symbol on a grid.</summary>
/// <remarks>
/// <para>
/// Put the H x W picture into a circle of N >= H + k/2 by M >= W + k/2 points, zeros elsewhere. An output inside the picture reads a
/// wrapped point only where that is zero; so the operator is a part of the circular one, with any phase pi s on what wraps, and its norm
/// is at most the largest |A(a, b)|_2, A(a, b) = sum over taps (y, x) of K_yx exp(i (a y + b x)), over a = pi (2j + s)/N, b = pi (2k + t)/M.
/// A real kernel has equal norms at opposite frequencies. |A| is that of the real matrix [Re -Im; Im Re].
/// </para>
/// <para>
/// Each part of an entry of A is a sum of T = k^2 products with cosines off by at most e: off by (gamma_{T+1} + e) sum |K_yx|. The
/// Frobenius norm of that sum is at most sqrt T |K|_F: the symbol is off by at most 1.5 k (gamma_{T+1} + e) |K|_F.
/// </para>
/// </remarks>
internal sealed class ConvolutionGrid
{
    private const int MostFrequencies = 1 << 24; // far above the pictures that fit into a model's 2^20 columns
    private const double CosineError = 1.0 / (1L << 40);
    private const double Underflow = 1e-280; // of k^2 products a part, at entries and cosines above 1e-280
    private readonly double[][] _taps; // row by row, each [_rows, _columns], the smaller side first
    private readonly int _kernel, _rows, _columns;
    private readonly double _frobenius;

    /// <summary>Takes a weight [outputs kernel kernel, inputs].</summary>
    public ConvolutionGrid(double[] weight, int outputs, int inputs, int kernel)
    {
        (_kernel, _rows, _columns) = (kernel, Math.Min(outputs, inputs), Math.Max(outputs, inputs));
        _frobenius = Outward.SqrtUp(weight.Aggregate(0.0, (sum, w) => Outward.AddUp(sum, Outward.MultiplyUp(w, w))));
        int taps = kernel * kernel;
        _taps = new double[taps][];
        for (int tap = 0; tap < taps; tap++)
        {
            _taps[tap] = new double[outputs * inputs];
            for (int k = 0; k < _taps[tap].Length; k++)
            {
                (int o, int i) = outputs <= inputs ? (k / _columns, k % _columns) : (k % _columns, k / _columns);
                _taps[tap][k] = weight[(((o * taps) + tap) * inputs) + i];
            }
        }
    }

    /// <summary>
    /// Whether the norm is proven to be at most <paramref name="bound"/> on pictures of height x width points, of every kernel whose
    /// weights differ by at most the given relative error, by the grid [N, M, s, t].
    /// </summary>
    public bool Proves(int[] grid, int height, int width, double relativeError, double bound)
    {
        int half = _kernel / 2;
        bool contains = grid is [int rows, int columns, 0 or 1, 0 or 1]
            && rows >= height + half && rows <= height + half + 8 && columns >= width + half && columns <= width + half + 8
            && (long)rows * columns <= MostFrequencies;
        double perEntry = Outward.MultiplyUp(1.5, Outward.AddUp(Outward.Gamma((_kernel * _kernel) + 1), CosineError));
        double error = Outward.MultiplyUp(Outward.MultiplyUp(_kernel, _frobenius), Outward.AddUp(perEntry, relativeError));
        double t = Outward.SubtractDown(bound, Outward.AddUp(error, Underflow));
        if (!contains || !(t > 0))
        {
            return false;
        }

        var done = new bool[grid[0] * grid[1]];
        Parallel.For(0, done.Length, (f, loop) =>
        {
            int j = f / grid[1], k = f % grid[1];
            int opposite = ((((2 * grid[0]) - j - grid[2]) % grid[0]) * grid[1]) + (((2 * grid[1]) - k - grid[3]) % grid[1]);
            done[f] = opposite < f || VerifiedCholesky.ProvesNorm(Symbol(grid, j, k), 2 * _rows, 2 * _columns, 0, t);
            if (!done[f])
            {
                loop.Stop();
            }
        });
        return done.All(proven => proven);
    }

    /// <summary>cos and sin of pi numerator/denominator, each off by at most 2^-40.</summary>
    /// <remarks>
    /// The angle is x in [-pi, pi] but for 4 roundings, 2e-15. Terms x^k/k! are off by at most gamma_2k each, sums by gamma_42 of the sum of
    /// sizes, which is below e^pi: together below gamma_130 24 = 4e-13; the terms left out sum to less than 1e-20; and 2^-40 is 9e-13.
    /// </remarks>
    internal static (double Cos, double Sin) CosSinPi(long numerator, long denominator)
    {
        numerator %= 2 * denominator;
        numerator -= numerator > denominator ? 2 * denominator : numerator < -denominator ? -2 * denominator : 0;
        double x = Math.PI * numerator / denominator, term = 1;
        Span<double> sums = [0, 0];
        for (int k = 0; k < 42; k++, term *= x / k)
        {
            sums[k % 2] += k % 4 < 2 ? term : -term;
        }

        return (sums[0], sums[1]);
    }

    // [Re -Im; Im Re] of A at a frequency.
    private double[] Symbol(int[] grid, int j, int k)
    {
        var symbol = new double[4 * _rows * _columns];
        for (int tap = 0; tap < _taps.Length; tap++)
        {
            // a y + b x over one denominator.
            long y = (((2L * j) + grid[2]) * (tap / _kernel) * grid[1]) + (((2L * k) + grid[3]) * (tap % _kernel) * grid[0]);
            (double cos, double sin) = CosSinPi(y, (long)grid[0] * grid[1]);
            for (int i = 0; i < _rows; i++)
            {
                ReadOnlySpan<double> weights = _taps[tap].AsSpan(i * _columns, _columns);
                Span<double> real = symbol.AsSpan(2 * i * _columns, _columns), imaginary = symbol.AsSpan((2 * (_rows + i)) * _columns, _columns);
                for (int c = 0; c < _columns; c++)
                {
                    real[c] += cos * weights[c];
                    imaginary[c] += sin * weights[c];
                }
            }
        }

        for (int i = 0; i < _rows; i++)
        {
            ReadOnlySpan<double> real = symbol.AsSpan(2 * i * _columns, _columns), imaginary = symbol.AsSpan(2 * (_rows + i) * _columns, _columns);
            real.CopyTo(symbol.AsSpan(((2 * (_rows + i)) + 1) * _columns));
            for (int c = 0; c < _columns; c++)
            {
                symbol[(((2 * i) + 1) * _columns) + c] = -imaginary[c];
            }
        }

        return symbol;
    }
}
