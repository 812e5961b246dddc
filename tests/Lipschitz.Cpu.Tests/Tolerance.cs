using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <summary>
/// How far a backend may lie from the reference: multiples of the unit roundoff times the magnitude of what was added or multiplied.
/// </summary>
internal static class Tolerance
{
    /// <summary>The unit roundoff u.</summary>
    public static double Unit(Precision precision) => precision == Precision.Float32 ? Math.ScaleB(1, -24) : Math.ScaleB(1, -53);

    /// <summary>A few multiplications and additions of numbers of this magnitude.</summary>
    public static double Arithmetic(double unit, double magnitude) => 4 * unit * magnitude;

    /// <summary>A few exponentials and divisions, whose results have this magnitude.</summary>
    public static double Transcendental(double unit, double magnitude) => 16 * unit * magnitude;

    /// <summary>
    /// A sum of terms whose absolute values add up to magnitude. The a-priori bound is terms * u; errors of either sign leave its root.
    /// </summary>
    public static double Sum(double unit, int terms, double magnitude) => (8 + Math.Sqrt(terms)) * unit * magnitude;

    /// <summary>A well-conditioned linear system.</summary>
    public static double Solve(double unit, int size, double magnitude) => 64 * (size + 1) * unit * magnitude;

    /// <summary>Some steps of power iteration, each a few times as sensitive as a product.</summary>
    public static double Iteration(double unit, int terms, double magnitude) => 16 * Sum(unit, terms, magnitude);
}
