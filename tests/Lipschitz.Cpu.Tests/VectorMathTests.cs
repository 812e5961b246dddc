using System.Numerics;
using System.Runtime.Intrinsics;
using Lipschitz.Cpu.Kernels;

namespace Lipschitz.Cpu.Tests;

/// <summary>The vectorised exponential and its relatives against double (and, in double, against the runtime's), in units in the last place.</summary>
public unsafe class VectorMathTests
{
    private enum Function
    {
        Exp,
        ExpNormal,
        Sigmoid,
        Rest,
        Softplus,
        Tanh,
    }

    [Fact]
    public void Float_results_are_within_two_units_in_the_last_place_at_every_width()
    {
        CheckFloat<Vector128<float>, Lanes128<float>>();
        CheckFloat<Vector256<float>, Lanes256<float>>();
        CheckFloat<Vector512<float>, Lanes512<float>>();
    }

    [Fact]
    public void Double_results_are_within_a_few_units_in_the_last_place_at_every_width()
    {
        CheckDouble<Vector128<double>, Lanes128<double>>();
        CheckDouble<Vector256<double>, Lanes256<double>>();
        CheckDouble<Vector512<double>, Lanes512<double>>();
    }

    [Fact]
    public void Extremes_give_zero_one_and_infinity_and_NaN_stays_NaN()
    {
        CheckExtremes<float, Vector128<float>, Lanes128<float>>();
        CheckExtremes<float, Vector256<float>, Lanes256<float>>();
        CheckExtremes<float, Vector512<float>, Lanes512<float>>();
        CheckExtremes<double, Vector128<double>, Lanes128<double>>();
        CheckExtremes<double, Vector256<double>, Lanes256<double>>();
        CheckExtremes<double, Vector512<double>, Lanes512<double>>();
    }

    private static void CheckFloat<TVector, TLanes>()
        where TVector : struct
        where TLanes : struct, ILanes<TVector, float>
    {
        Sweep<float, TVector, TLanes>(Function.Exp, -103.9, 88.7, 2, Math.Exp);
        Sweep<float, TVector, TLanes>(Function.ExpNormal, -87, 87, 2, Math.Exp);
        Sweep<float, TVector, TLanes>(Function.Sigmoid, -86, 86, 3, x => 1 / (1 + Math.Exp(-x)));
        Sweep<float, TVector, TLanes>(Function.Rest, -86, 86, 4, x => 1 / (1 + Math.Exp(x)));
        Sweep<float, TVector, TLanes>(Function.Softplus, -86, 86, 4, x => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x))));
        Sweep<float, TVector, TLanes>(Function.Tanh, -20, 20, 4, Math.Tanh);
        Sweep<float, TVector, TLanes>(Function.Tanh, -1e-3, 1e-3, 2, Math.Tanh);
    }

    private static void CheckDouble<TVector, TLanes>()
        where TVector : struct
        where TLanes : struct, ILanes<TVector, double>
    {
        // The runtime's own functions are within about one unit themselves.
        Sweep<double, TVector, TLanes>(Function.Exp, -745, 709.7, 3, Math.Exp);
        Sweep<double, TVector, TLanes>(Function.ExpNormal, -708, 708, 3, Math.Exp);
        Sweep<double, TVector, TLanes>(Function.Sigmoid, -700, 700, 5, x => 1 / (1 + Math.Exp(-x)));
        Sweep<double, TVector, TLanes>(Function.Softplus, -700, 700, 5, x => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x))));
        Sweep<double, TVector, TLanes>(Function.Tanh, -30, 30, 5, Math.Tanh);
        Sweep<double, TVector, TLanes>(Function.Tanh, -1e-3, 1e-3, 3, Math.Tanh);
    }

    private static void CheckExtremes<T, TVector, TLanes>()
        where T : unmanaged, IFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<TVector, T>
    {
        Assert.Equal(T.Zero, At(Function.Exp, T.NegativeInfinity));
        Assert.Equal(T.Zero, At(Function.Exp, T.CreateTruncating(-1e30)));
        Assert.Equal(T.PositiveInfinity, At(Function.Exp, T.PositiveInfinity));
        Assert.Equal(T.PositiveInfinity, At(Function.Exp, T.CreateTruncating(1e30)));
        Assert.Equal(T.One, At(Function.Exp, T.Zero));
        Assert.Equal(T.One, At(Function.Exp, T.NegativeZero));
        Assert.Equal(T.One, At(Function.Tanh, T.PositiveInfinity));
        Assert.Equal(-T.One, At(Function.Tanh, T.NegativeInfinity));
        Assert.Equal(T.One, At(Function.Sigmoid, T.PositiveInfinity));
        Assert.True(At(Function.Sigmoid, T.NegativeInfinity) < T.CreateTruncating(1e-37));
        Assert.Equal(T.PositiveInfinity, At(Function.Softplus, T.PositiveInfinity));
        Assert.Equal(T.Zero, At(Function.Softplus, T.NegativeInfinity));
        foreach (Function f in Enum.GetValues<Function>())
        {
            Assert.True(T.IsNaN(At(f, T.NaN)), $"{f} of NaN");
        }

        static T At(Function f, T x)
        {
            T[] values = [.. Enumerable.Repeat(x, TLanes.Count)];
            Apply<T, TVector, TLanes>(f, values);
            return values[0];
        }
    }

    private static void Sweep<T, TVector, TLanes>(Function f, double from, double to, double units, Func<double, double> exact)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<TVector, T>
    {
        const int count = 1 << 16;
        var x = new T[count];
        for (int i = 0; i < count; i++)
        {
            x[i] = T.CreateTruncating(from + ((to - from) * (i + 0.37) / count));
        }

        T[] y = [.. x];
        Apply<T, TVector, TLanes>(f, y);
        double worst = 0, worstAt = 0;
        for (int i = 0; i < count; i++)
        {
            double expected = exact(double.CreateTruncating(x[i]));
            double unit = double.CreateTruncating(T.BitIncrement(T.Abs(T.CreateTruncating(expected))) - T.Abs(T.CreateTruncating(expected)));
            double error = Math.Abs(double.CreateTruncating(y[i]) - expected) / unit;
            if (!(error <= worst))
            {
                (worst, worstAt) = (error, double.CreateTruncating(x[i]));
            }
        }

        Assert.True(worst <= units, $"{f} in {typeof(T).Name}, {TLanes.Name}: {worst:F2} units in the last place at {worstAt:R}");
    }

    private static void Apply<T, TVector, TLanes>(Function f, T[] values)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<TVector, T>
    {
        fixed (T* p = values)
        {
            for (int i = 0; i + TLanes.Count <= values.Length; i += TLanes.Count)
            {
                TVector x = TLanes.Load(p + i);
                VectorMath<T, TVector, TLanes>.SigmoidOfNegative(
                    TLanes.Subtract(VectorMath<T, TVector, TLanes>.Constant(0), x), out TVector g, out TVector h);
                TVector y = f switch
                {
                    Function.Exp => VectorMath<T, TVector, TLanes>.Exp(x),
                    Function.ExpNormal => VectorMath<T, TVector, TLanes>.ExpNormal(x),
                    Function.Sigmoid => g,
                    Function.Rest => h,
                    Function.Softplus => VectorMath<T, TVector, TLanes>.Softplus(x),
                    _ => VectorMath<T, TVector, TLanes>.Tanh(x, out _),
                };
                TLanes.Store(y, p + i);
            }
        }
    }

    private static double LogOnePlus(double z)
    {
        double w = 1 + z;
        return w == 1 ? z : Math.Log(w) * z / (w - 1);
    }
}
