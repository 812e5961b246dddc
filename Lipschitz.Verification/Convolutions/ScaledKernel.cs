using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Convolutions;

/// <summary>A kernel times 2^-Exponent, its largest entry in [1/2, 1), as one matrix [Rows, Columns] a tap, Rows the smaller channel side.</summary>
internal sealed class ScaledKernel
{
    /// <summary>More than the radius of any enclosure that <see cref="FrequencyGrid.Phase"/> returns; checked at every use.</summary>
    public const double PhaseError = 4e-15;

    public ScaledKernel(ConvolutionKernel kernel)
    {
        double largest = kernel.Weights.Max(Math.Abs);
        Exponent = Math.ILogB(largest) + 1;
        (Height, Width) = (kernel.Height, kernel.Width);
        (Rows, Columns) = (Math.Min(kernel.Outputs, kernel.Inputs), Math.Max(kernel.Outputs, kernel.Inputs));
        bool transpose = kernel.Outputs > kernel.Inputs;
        Taps = new double[kernel.Weights.Length];
        for (int o = 0; o < kernel.Outputs; o++)
        {
            for (int tap = 0; tap < Height * Width; tap++)
            {
                for (int i = 0; i < kernel.Inputs; i++)
                {
                    (int row, int column) = transpose ? (i, o) : (o, i);
                    double weight = kernel.Weights[(((o * Height * Width) + tap) * kernel.Inputs) + i];
                    Taps[(((tap * Rows) + row) * Columns) + column] = Math.ScaleB(weight, -Exponent);
                }
            }
        }

        // An entry of the computed symbol errs by at most (gamma_T + e) sum |K_tap| in each of its two parts, e the error of the cosines.
        // The Frobenius norm of sum |K_tap| is at most sqrt(T) |K|_F. Scaling errs where numbers become subnormal.
        int taps = Height * Width;
        double perEntry = Outward.AddUp(FloatingPoint.Gamma(taps + 1), PhaseError);
        double frobenius = Dense.VectorNorm.Up(Taps, 2);
        double error = Outward.MultiplyUp(Outward.MultiplyUp(Outward.SqrtUp(2.0 * taps), perEntry), frobenius);
        SymbolError = Outward.AddUp(error, FloatingPoint.UnderflowAllowance);
    }

    public double[] Taps { get; }

    public int Height { get; }

    public int Width { get; }

    public int Rows { get; }

    public int Columns { get; }

    public int Exponent { get; }

    /// <summary>At least |A^ - A|_2 of the computed symbol.</summary>
    public double SymbolError { get; }
}
