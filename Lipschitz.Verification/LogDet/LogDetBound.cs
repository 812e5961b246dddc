using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.LogDet;

/// <summary>Enclosures of <c>log det(I + J)</c> for |J|_2 &lt;= L &lt; 1, in nats; the determinant is positive, so no absolute value is taken.</summary>
public static class LogDetBound
{
    /// <summary>[d log(1 - L), d log(1 + L)]: each singular value of I + J is in [1 - L, 1 + L].</summary>
    public static Interval FromLipschitz(int d, double lipschitz)
    {
        ThrowUnlessContraction(lipschitz);
        return new(
            (d * IntervalFunctions.Log(Outward.SubtractDown(1, lipschitz))).Lower,
            (d * IntervalFunctions.Log(Outward.AddUp(1, lipschitz))).Upper);
    }

    /// <summary>
    /// At least the error of the series after n terms: <c>|sum_(k&gt;n) (-1)^(k+1) tr J^k / k| &lt;= d L^(n+1)/((n+1)(1 - L))</c>.
    /// </summary>
    public static double Truncation(int d, double lipschitz, int terms)
    {
        ThrowUnlessContraction(lipschitz);
        double power = 1;
        for (int k = 0; k <= terms; k++)
        {
            power = Outward.MultiplyUp(power, lipschitz);
        }

        double below = Outward.MultiplyDown(terms + 1, Outward.SubtractDown(1, lipschitz));
        return Outward.DivideUp(Outward.MultiplyUp(d, power), below);
    }

    /// <summary>
    /// Encloses log det(I + J) by Gaussian elimination in intervals. No pivoting is needed: I + J has a positive definite symmetric part,
    /// so every exact pivot is positive. Where intervals got too wide, <see cref="FromLipschitz"/> remains.
    /// </summary>
    /// <param name="jacobian">Encloses J [d, d].</param>
    /// <param name="lipschitz">At least |J|_2, below 1.</param>
    public static Interval FromJacobian(Interval[,] jacobian, double lipschitz)
    {
        int d = jacobian.GetLength(0);
        Interval rough = FromLipschitz(d, lipschitz);
        var m = (Interval[,])jacobian.Clone();
        Interval sum = 0;
        for (int k = 0; k < d; k++)
        {
            m[k, k] += 1;
        }

        for (int k = 0; k < d; k++)
        {
            if (m[k, k].Lower <= 0)
            {
                return rough;
            }

            sum += IntervalFunctions.Log(m[k, k]);
            for (int i = k + 1; i < d; i++)
            {
                Interval factor = m[i, k] / m[k, k];
                for (int j = k + 1; j < d; j++)
                {
                    m[i, j] -= factor * m[k, j];
                }
            }
        }

        return Interval.Intersect(sum, rough);
    }

    private static void ThrowUnlessContraction(double lipschitz)
    {
        if (!(lipschitz >= 0 && lipschitz < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(lipschitz), lipschitz, "Only contractions, 0 <= L < 1, have these bounds.");
        }
    }
}
