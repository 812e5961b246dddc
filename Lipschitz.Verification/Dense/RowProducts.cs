using System.Numerics;
using System.Runtime.InteropServices;

namespace Lipschitz.Verification.Dense;

/// <summary>Products of rows with rows, c_ij += sign a_i . b_j: all that a Gram matrix and a Cholesky factor need.</summary>
/// <remarks>
/// Plain vector arithmetic in double, fused or not, summed in some fixed order: the callers' error bounds cover every order. Each c_ij
/// is written by one thread, so results do not depend on the number of threads.
/// </remarks>
internal static class RowProducts
{
    /// <summary>Rows in a block: 64 rows of <see cref="Depth"/> doubles are 128 KiB, two of them fit into a second-level cache.</summary>
    public const int Block = 64;
    private const int Depth = 256;

    /// <summary>A stride at least <paramref name="length"/>: whole cache lines, and not a multiple of a page's.</summary>
    public static int Stride(int length)
    {
        int lines = (length + 7) / 8;
        return 8 * (lines % 8 == 0 && lines > 8 ? lines + 1 : lines);
    }

    /// <summary>c_ij += sign a_i . b_j, rows i of a and j of b, each of the given length.</summary>
    public static void Accumulate(
        ReadOnlySpan<double> a, int aStride, int aRows, ReadOnlySpan<double> b, int bStride, int bRows, int length, double sign,
        Span<double> c, int cStride)
    {
        for (int start = 0; start < length; start += Depth)
        {
            int depth = Math.Min(Depth, length - start);
            for (int i = 0; i < aRows; i += 4)
            {
                for (int j = 0; j < bRows; j += 3)
                {
                    if (i + 4 <= aRows && j + 3 <= bRows)
                    {
                        Tile(a[((i * aStride) + start)..], aStride, b[((j * bStride) + start)..], bStride, depth, sign, c[((i * cStride) + j)..], cStride);
                        continue;
                    }

                    for (int ii = i; ii < Math.Min(i + 4, aRows); ii++)
                    {
                        for (int jj = j; jj < Math.Min(j + 3, bRows); jj++)
                        {
                            c[(ii * cStride) + jj] += sign * Dot(a.Slice((ii * aStride) + start, depth), b.Slice((jj * bStride) + start, depth));
                        }
                    }
                }
            }
        }
    }

    /// <summary>a . b.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);

    // 12 sums and 7 operands: 4 rows of a against 3 of b.
    private static void Tile(
        ReadOnlySpan<double> a, int aStride, ReadOnlySpan<double> b, int bStride, int depth, double sign, Span<double> c, int cStride)
    {
        ref double a0 = ref MemoryMarshal.GetReference(a), a1 = ref MemoryMarshal.GetReference(a[aStride..]);
        ref double a2 = ref MemoryMarshal.GetReference(a[(2 * aStride)..]), a3 = ref MemoryMarshal.GetReference(a[(3 * aStride)..]);
        ref double b0 = ref MemoryMarshal.GetReference(b), b1 = ref MemoryMarshal.GetReference(b[bStride..]), b2 = ref MemoryMarshal.GetReference(b[(2 * bStride)..]);
        Vector<double> s00 = default, s01 = default, s02 = default, s10 = default, s11 = default, s12 = default;
        Vector<double> s20 = default, s21 = default, s22 = default, s30 = default, s31 = default, s32 = default;
        nuint k = 0;
        nuint width = (nuint)Vector<double>.Count, end = (nuint)depth / width * width;
        for (; k < end; k += width)
        {
            Vector<double> y0 = Vector.LoadUnsafe(ref b0, k), y1 = Vector.LoadUnsafe(ref b1, k), y2 = Vector.LoadUnsafe(ref b2, k);
            Vector<double> x = Vector.LoadUnsafe(ref a0, k);
            s00 = Vector.MultiplyAddEstimate(x, y0, s00);
            s01 = Vector.MultiplyAddEstimate(x, y1, s01);
            s02 = Vector.MultiplyAddEstimate(x, y2, s02);
            x = Vector.LoadUnsafe(ref a1, k);
            s10 = Vector.MultiplyAddEstimate(x, y0, s10);
            s11 = Vector.MultiplyAddEstimate(x, y1, s11);
            s12 = Vector.MultiplyAddEstimate(x, y2, s12);
            x = Vector.LoadUnsafe(ref a2, k);
            s20 = Vector.MultiplyAddEstimate(x, y0, s20);
            s21 = Vector.MultiplyAddEstimate(x, y1, s21);
            s22 = Vector.MultiplyAddEstimate(x, y2, s22);
            x = Vector.LoadUnsafe(ref a3, k);
            s30 = Vector.MultiplyAddEstimate(x, y0, s30);
            s31 = Vector.MultiplyAddEstimate(x, y1, s31);
            s32 = Vector.MultiplyAddEstimate(x, y2, s32);
        }

        int rest = (int)end;
        ReadOnlySpan<double> t0 = b[rest..depth], t1 = b[(bStride + rest)..(bStride + depth)], t2 = b[((2 * bStride) + rest)..((2 * bStride) + depth)];
        Store(s00, s01, s02, a[rest..depth], t0, t1, t2, sign, c);
        Store(s10, s11, s12, a[(aStride + rest)..(aStride + depth)], t0, t1, t2, sign, c[cStride..]);
        Store(s20, s21, s22, a[((2 * aStride) + rest)..((2 * aStride) + depth)], t0, t1, t2, sign, c[(2 * cStride)..]);
        Store(s30, s31, s32, a[((3 * aStride) + rest)..((3 * aStride) + depth)], t0, t1, t2, sign, c[(3 * cStride)..]);
    }

    private static void Store(
        Vector<double> s0, Vector<double> s1, Vector<double> s2, ReadOnlySpan<double> x, ReadOnlySpan<double> t0, ReadOnlySpan<double> t1,
        ReadOnlySpan<double> t2, double sign, Span<double> c)
    {
        double r0 = Vector.Sum(s0), r1 = Vector.Sum(s1), r2 = Vector.Sum(s2);
        for (int k = 0; k < x.Length; k++)
        {
            r0 += x[k] * t0[k];
            r1 += x[k] * t1[k];
            r2 += x[k] * t2[k];
        }

        c[0] += sign * r0;
        c[1] += sign * r1;
        c[2] += sign * r2;
    }
}
