using System.Numerics;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>The tiles of a batch of pictures, picture by picture, row by row; those at the right and lower edge may overhang.</summary>
internal readonly unsafe struct PictureTiles<T>(ConvolutionShape shape, int pictures, int outputs)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _columns = (shape.Width + outputs - 1) / outputs;
    private readonly int _perPicture = (shape.Width + outputs - 1) / outputs * ((shape.Height + outputs - 1) / outputs);

    /// <summary>All tiles.</summary>
    public int Count => pictures * _perPicture;

    /// <summary>The picture of a tile.</summary>
    public int Picture(int tile) => tile / _perPicture;

    /// <summary>
    /// The addresses of the size x size pixels from <paramref name="border"/> pixels before the tile's first on; <paramref name="outside"/> for
    /// those that the picture does not have.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pixels(View<T> x, int tile, int border, int size, T* outside, T** pixels)
    {
        int picture = tile / _perPicture;
        int place = tile - (picture * _perPicture);
        int row = place / _columns;
        int top = (row * outputs) - border, left = ((place - (row * _columns)) * outputs) - border;
        T* first = x.Data + ((((nint)picture * shape.Height) + top) * shape.Width * x.Stride) + (left * x.Stride);
        if (top >= 0 && left >= 0 && top + size <= shape.Height && left + size <= shape.Width)
        {
            for (int i = 0; i < size; i++, first += shape.Width * x.Stride, pixels += size)
            {
                T* at = first;
                for (int j = 0; j < size; j++, at += x.Stride)
                {
                    pixels[j] = at;
                }
            }

            return;
        }

        for (int i = 0; i < size; i++, first += shape.Width * x.Stride, pixels += size)
        {
            bool isRow = (uint)(top + i) < (uint)shape.Height;
            for (int j = 0; j < size; j++)
            {
                pixels[j] = isRow && (uint)(left + j) < (uint)shape.Width ? first + (j * x.Stride) : outside;
            }
        }
    }
}
