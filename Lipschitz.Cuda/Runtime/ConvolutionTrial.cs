using Lipschitz.Backends;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// One small convolution each way that training uses, compared with what must come out: whether a library takes pictures and filters as they lie here.
/// A library that refused every shape would otherwise be replaced silently, call by call.
/// </summary>
internal static class ConvolutionTrial
{
    private const int Size = 4;
    private const int Channels = 4;

    /// <summary>What is wrong, in one line; null where nothing is.</summary>
    /// <exception cref="CudaException">A call failed.</exception>
    public static string? Failure(CudaContext context, IConvolutions convolutions)
    {
        var shape = new ConvolutionShape(Size, Size, 3);
        int numbers = shape.Pixels * Channels, weights = Channels * shape.Taps * Channels;
        CudaBuffer x = new(context, numbers), y = new(context, numbers), w = new(context, weights);
        DeviceView pictures = View(x, shape.Pixels), result = View(y, shape.Pixels), filter = View(w, weights / Channels);
        float[] ones = new float[Math.Max(numbers, weights)];
        Array.Fill(ones, 1);
        context.Upload(ones.AsSpan(0, numbers), pictures);
        context.Upload(ones.AsSpan(0, weights), filter);
        float[] got = new float[numbers], gradient = new float[weights];
        if (!convolutions.TryForward(shape, pictures, filter.Data, 0, result))
        {
            return "it has no deterministic convolution of float32 pictures that lie channel by channel";
        }

        context.Download(result, got);
        if (!convolutions.TryBackwardFilter(shape, pictures, pictures, 0, filter.Data))
        {
            return "it has no deterministic gradient of the filter of float32 pictures that lie channel by channel";
        }

        context.Download(filter, gradient);
        bool isRight = true;
        for (int i = 0; i < numbers; i++)
        {
            int pixel = i / Channels;
            isRight &= got[i] == Channels * Inside(pixel / Size) * Inside(pixel % Size);
        }

        for (int i = 0; i < weights; i++)
        {
            int tap = i / Channels % shape.Taps;
            isRight &= gradient[i] == Covered(tap / 3) * Covered(tap % 3);
        }

        GC.KeepAlive((x, y, w));
        return isRight ? null : "a convolution of ones gives wrong numbers";
    }

    private static DeviceView View(CudaBuffer buffer, int rows) => new(buffer.Address, rows, Channels, Channels);

    // Taps of a line of three that lie inside the picture around a place, and places that a tap meets inside it.
    private static int Inside(int place) => place is 0 or Size - 1 ? 2 : 3;

    private static int Covered(int tap) => tap == 1 ? Size : Size - 1;
}
