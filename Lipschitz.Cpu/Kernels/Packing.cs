using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Copies a right factor into the order in which the kernels read it.</summary>
internal static unsafe class Packing<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// Panels [panel][inner][width] of op(source) [k, n], from row <paramref name="start"/> on; zeros beyond column n. Element (p, j)
    /// goes to <c>packed[((j / width * inner) + start + p) * width + (j % width)]</c>.
    /// </summary>
    public static void Pack(T* source, nint stride, bool transpose, int k, int n, T* packed, int inner, int width, int start)
    {
        for (int column = 0; column < n; column += width)
        {
            T* panel = packed + ((((nint)column / width * inner) + start) * width);
            int columns = Math.Min(width, n - column);
            if (transpose)
            {
                PackTransposed(source + (column * stride), stride, k, columns, panel, width);
            }
            else
            {
                PackRows(source + column, stride, k, columns, panel, width);
            }
        }
    }

    /// <summary>
    /// Columns one after the other for the dot products of a narrow factor: element (p, j) of op(source) [k, n] goes to
    /// <c>packed[j * inner + start + p]</c>.
    /// </summary>
    public static void PackNarrow(T* source, nint stride, bool transpose, int k, int n, T* packed, nint inner, int start)
    {
        for (int j = 0; j < n; j++)
        {
            T* column = packed + (j * inner) + start;
            for (int p = 0; p < k; p++)
            {
                column[p] = transpose ? source[(j * stride) + p] : source[(p * stride) + j];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackRows(T* source, nint stride, int k, int columns, T* panel, int width)
    {
        // The rows are short, so that a call for each would cost more than the copying. Full panels are 24 bytes (6 float), 48, 64 or 128.
        nint bytes = (nint)columns * sizeof(T), step = (nint)width * sizeof(T), jump = stride * sizeof(T);
        byte* from = (byte*)source, to = (byte*)panel;
        if (bytes == step && step == 24)
        {
            for (int p = 0; p < k; p++, from += jump, to += step)
            {
                Vector128<byte> last = Vector128.Load(from + 8);
                Vector128.Store(Vector128.Load(from), to);
                Vector128.Store(last, to + 8);
            }
        }
        else if (bytes == step && step == 64)
        {
            for (int p = 0; p < k; p++, from += jump, to += step)
            {
                Vector256.Store(Vector256.Load(from), to);
                Vector256.Store(Vector256.Load(from + 32), to + 32);
            }
        }
        else
        {
            for (int p = 0; p < k; p++, from += jump, to += step)
            {
                nint i = 0;
                for (; i + 16 <= bytes; i += 16)
                {
                    Vector128.Store(Vector128.Load(from + i), to + i);
                }

                for (; i < bytes; i += sizeof(T))
                {
                    *(T*)(to + i) = *(T*)(from + i);
                }

                for (; i < step; i += sizeof(T))
                {
                    *(T*)(to + i) = T.Zero;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackTransposed(T* source, nint stride, int k, int columns, T* panel, int width)
    {
        // Four rows of the source at a time: their reads run along the rows, their writes share a cache line.
        int j = 0;
        for (; j + 4 <= columns; j += 4)
        {
            T* s0 = source + (j * stride), s1 = s0 + stride, s2 = s1 + stride, s3 = s2 + stride;
            T* to = panel + j;
            for (int p = 0; p < k; p++)
            {
                to[0] = s0[p];
                to[1] = s1[p];
                to[2] = s2[p];
                to[3] = s3[p];
                to += width;
            }
        }

        for (; j < width; j++)
        {
            T* to = panel + j;
            for (int p = 0; p < k; p++)
            {
                *to = j < columns ? source[(j * stride) + p] : T.Zero;
                to += width;
            }
        }
    }
}
