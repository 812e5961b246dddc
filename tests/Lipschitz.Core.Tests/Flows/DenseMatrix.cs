namespace Lipschitz.Core.Tests.Flows;

/// <summary>Small square matrices, row by row.</summary>
internal static class DenseMatrix
{
    /// <summary>log |det A| by elimination with row exchanges.</summary>
    public static double LogAbsoluteDeterminant(double[] matrix, int n)
    {
        double[] a = [.. matrix];
        double logDet = 0;
        for (int k = 0; k < n; k++)
        {
            int pivot = Enumerable.Range(k, n - k).MaxBy(i => Math.Abs(a[(i * n) + k]));
            for (int j = 0; j < n; j++)
            {
                (a[(k * n) + j], a[(pivot * n) + j]) = (a[(pivot * n) + j], a[(k * n) + j]);
            }

            logDet += Math.Log(Math.Abs(a[(k * n) + k]));
            for (int i = k + 1; i < n; i++)
            {
                double factor = a[(i * n) + k] / a[(k * n) + k];
                for (int j = k; j < n; j++)
                {
                    a[(i * n) + j] -= factor * a[(k * n) + j];
                }
            }
        }

        return logDet;
    }
}
