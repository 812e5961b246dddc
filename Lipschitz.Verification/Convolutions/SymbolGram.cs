using System.Numerics.Tensors;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Convolutions;

/// <summary>
/// Room for one frequency: the symbol <c>A = sum over taps of K_tap e^(i theta.tap)</c> and the real symmetric form of A A*, whose largest
/// eigenvalue is |A|_2^2.
/// </summary>
/// <remarks>
/// The smaller channel side gives the rows. With A = R + iJ, X = [R | J] and Y = [J | -R]: A A* = S + iT, S = X X', T = Y X'
/// antisymmetric; as a real matrix [[S, -T], [T, S]], every eigenvalue twice. Rounding of S and T moves it by at most
/// <c>gamma_2m |[R, -J; J, R]|_F^2 = 2 gamma_2m |A|_F^2</c>.
/// </remarks>
internal sealed class SymbolGram
{
    private readonly double[] _taps; // [tap, row, column], scaled
    private readonly int _height;
    private readonly int _width;
    private readonly int _rows;
    private readonly int _columns;
    private readonly int _stride;
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly SymmetricMatrix _real;
    private readonly SymmetricMatrix _imaginary;

    public SymbolGram(ScaledKernel kernel)
    {
        (_taps, _height, _width, _rows, _columns) = (kernel.Taps, kernel.Height, kernel.Width, kernel.Rows, kernel.Columns);
        _stride = RowProducts.Stride(2 * _columns);
        _x = new double[_rows * _stride];
        _y = new double[_rows * _stride];
        (_real, _imaginary) = (new SymmetricMatrix(_rows), new SymmetricMatrix(_rows));
        (Gram, Work) = (new SymmetricMatrix(2 * _rows), new SymmetricMatrix(2 * _rows));
    }

    /// <summary>The real form of fl(A A*).</summary>
    public SymmetricMatrix Gram { get; }

    /// <summary>Room of the same size.</summary>
    public SymmetricMatrix Work { get; }

    /// <summary>At least the distance of <see cref="Gram"/> from the real form of A A*, for the computed A.</summary>
    public double Distance { get; private set; }

    /// <summary>At least |A|_F^2, for the computed A.</summary>
    public double FrobeniusSquared { get; private set; }

    /// <summary>Computes all of it at a frequency.</summary>
    public void Evaluate(FrequencyGrid grid, int j, int k)
    {
        Array.Clear(_x);
        for (int tap = 0; tap < _height * _width; tap++)
        {
            (Interval cos, Interval sin) = grid.Phase(j, k, tap / _width, tap % _width);
            double c = cos.Middle, s = sin.Middle;
            if (Math.Max(cos.Radius, sin.Radius) > ScaledKernel.PhaseError)
            {
                throw new InvalidOperationException("A cosine is known too roughly for the error bound of the symbol.");
            }

            for (int i = 0; i < _rows; i++)
            {
                ReadOnlySpan<double> row = _taps.AsSpan(((tap * _rows) + i) * _columns, _columns);
                Span<double> real = _x.AsSpan(i * _stride, _columns), imaginary = _x.AsSpan((i * _stride) + _columns, _columns);
                TensorPrimitives.MultiplyAdd(row, c, real, real);
                TensorPrimitives.MultiplyAdd(row, s, imaginary, imaginary);
            }
        }

        double square = 0;
        for (int i = 0; i < _rows; i++)
        {
            ReadOnlySpan<double> row = _x.AsSpan(i * _stride, 2 * _columns);
            row[_columns..].CopyTo(_y.AsSpan(i * _stride));
            TensorPrimitives.Negate(row[.._columns], _y.AsSpan((i * _stride) + _columns, _columns));
            square = Outward.AddUp(square, Outward.SumOfSquaresUp(row));
        }

        FrobeniusSquared = square;
        Distance = Outward.AddUp(
            Outward.MultiplyUp(FloatingPoint.Gamma(2L * _columns), Outward.MultiplyUp(2, square)), FloatingPoint.UnderflowAllowance);
        Array.Clear(_real.Values);
        Array.Clear(_imaginary.Values);
        _real.AddProduct(_x, _x, _stride, 2 * _columns, 1, false);
        _imaginary.AddProduct(_y, _x, _stride, 2 * _columns, 1, false);
        for (int i = 0; i < _rows; i++)
        {
            ReadOnlySpan<double> row = _real.Row(i)[..(i + 1)];
            row.CopyTo(Gram.Row(i));
            row.CopyTo(Gram.Row(_rows + i)[_rows..]);
            _imaginary.Row(i)[..i].CopyTo(Gram.Row(_rows + i));
            Gram[_rows + i, i] = 0; // exactly: T is antisymmetric
            for (int l = 0; l < i; l++)
            {
                Gram[_rows + l, i] = -_imaginary[i, l];
            }
        }
    }

    /// <summary>Whether |A|_2 &lt;= t is proven for the computed A.</summary>
    public bool Proves(double t) => VerifiedCholesky.Proves(Gram, Outward.MultiplyDown(t, t), Distance, Work, false);

    /// <summary>About |A|_2.</summary>
    public double Estimate() => Math.Sqrt(Math.Max(0, LargestEigenvalue.Estimate(Gram)));

    /// <summary>A proven bound of |A|_2 for the computed A.</summary>
    public double Bound(double resolution)
    {
        double t = SpectralNormBound.Search(Gram, Distance, resolution, false).T;
        return double.IsNaN(t) ? Outward.SqrtUp(FrobeniusSquared) : t;
    }
}
