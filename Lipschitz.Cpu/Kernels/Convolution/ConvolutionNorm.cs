using System.Numerics;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>Power iteration on the operator that a convolution is on one picture.</summary>
internal static unsafe class ConvolutionNorm<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Repeats u &lt;- W v/|W v|, v &lt;- W'u/|W'u|; sigma &lt;- u'W v.</summary>
    /// <remarks>After an iteration u'W v = |W'u|, so that it takes one convolution each way; both are packed for the call.</remarks>
    public static void Iterate(ConvolutionShape shape, View<T> w, int iterations, double tolerance, View<T> u, View<T> v, View<T> sigma)
    {
        int outputs = w.Rows / shape.Taps, inputs = w.Columns;
        ConvolutionPlan forward = ConvolutionKernels<T, TVector, TLanes>.Plan(shape, inputs, outputs);
        ConvolutionPlan adjoint = ConvolutionKernels<T, TVector, TLanes>.Plan(shape, outputs, inputs);
        T* packed = Packed(forward, w, false, ScratchSlot.Weight);
        T* packedAdjoint = iterations > 0 ? Packed(adjoint, w, true, ScratchSlot.Adjoint) : null;
        nint length = (nint)shape.Pixels * Math.Max(inputs, outputs);
        T* image = Scratch<T>.Rent(ScratchSlot.Operand, length);
        View<T> left = new(image, shape.Pixels, outputs, outputs), right = new(image, shape.Pixels, inputs, inputs);
        View<T> pixels = new(v.Data, shape.Pixels, inputs, inputs), images = new(u.Data, shape.Pixels, outputs, outputs);
        double last = double.NaN, value = 0; // the first comparison is false
        int made = 0;
        while (true)
        {
            ConvolutionKernels<T, TVector, TLanes>.Convolve(forward, packed, pixels, T.Zero, null, 0, left);
            double size = Math.Sqrt(Reductions<T, TVector, TLanes>.SumOfSquares(left));
            if (size == 0 || iterations == 0)
            {
                value = size == 0 ? 0 : double.CreateTruncating(Reductions<T, TVector, TLanes>.Dot(u.Columns, u.Data, image));
                break;
            }

            made++;
            Elementwise<T, TVector, TLanes>.Scale(T.CreateTruncating(1 / size), left, images);
            ConvolutionKernels<T, TVector, TLanes>.Convolve(adjoint, packedAdjoint, images, T.Zero, null, 0, right);
            value = Math.Sqrt(Reductions<T, TVector, TLanes>.SumOfSquares(right));
            if (value == 0)
            {
                break;
            }

            Elementwise<T, TVector, TLanes>.Scale(T.CreateTruncating(1 / value), right, pixels);
            if (made == iterations || (tolerance > 0 && Math.Abs(value - last) <= tolerance * value))
            {
                break;
            }

            last = value;
        }

        sigma.Data[0] = T.CreateTruncating(value);
    }

    private static T* Packed(ConvolutionPlan plan, View<T> w, bool adjoint, ScratchSlot slot)
    {
        int length = ConvolutionKernels<T, TVector, TLanes>.Length(plan);
        T* packed = Scratch<T>.Rent(slot, length);

        // What packing leaves out is the filling up of the last panel, which must be finite.
        new Span<T>(packed, length).Clear();
        ConvolutionKernels<T, TVector, TLanes>.Pack(plan, w, adjoint, 0, packed);
        return packed;
    }
}
