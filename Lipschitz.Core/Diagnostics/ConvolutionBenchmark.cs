using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Diagnostics;

/// <summary>The time of one pass through a convolution in float32.</summary>
/// <param name="Pass"><c>forward</c>, <c>adjoint</c> (with respect to the input), <c>gradient</c> (with respect to the weight), or <c>all</c> three.</param>
/// <param name="Batch">Pictures.</param>
/// <param name="Inputs">Channels of the input.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="Size">Height and width of the pictures.</param>
/// <param name="Kernel">Height and width of the kernel.</param>
/// <param name="Milliseconds">Of one pass over the batch, the best repetition.</param>
/// <param name="Gflops">Operations of the definition (2 pixels inputs outputs taps, whatever the method saves) over that time, in 1e9 a second.</param>
/// <param name="FractionOfPeak">Of the peak given; above 1 where fewer operations are made.</param>
public sealed record ConvolutionTiming(
    string Pass, int Batch, int Inputs, int Outputs, int Size, int Kernel, double Milliseconds, double Gflops, double FractionOfPeak);

/// <summary>Times convolutions of the image models: <c>bench conv</c>.</summary>
/// <remarks>
/// Pictures are split over the threads, as a batch is in training. Gradients of the weight go to an accumulator a thread, and are then summed.
/// Packing is not timed: a step packs once for some ten products.
/// </remarks>
public static class ConvolutionBenchmark
{
    private const double MinimumSeconds = 5e-3;
    private const double WarmUpSeconds = 0.25;

    /// <summary>The layers of an i-DenseNet and a Residual Flow for CIFAR-10.</summary>
    private static readonly (int Batch, int Inputs, int Outputs, int Size, int Kernel)[] Shapes =
    [
        (16, 3, 124, 32, 3), (16, 127, 124, 32, 3), (16, 251, 124, 32, 3), (16, 375, 3, 32, 1), (16, 12, 124, 16, 3),
        (16, 260, 124, 16, 3), (16, 512, 512, 16, 1), (16, 512, 512, 16, 3),
    ];

    /// <summary>Times every shape.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="peak">GFLOP/s to compare with.</param>
    /// <param name="repetitions">The best of so many.</param>
    public static IReadOnlyList<ConvolutionTiming> Run(IBackend backend, double peak, int repetitions = 20) =>
        Run(Shapes, backend, peak, repetitions);

    /// <summary>Times some shapes.</summary>
    /// <param name="shapes">Pictures, channels, edge of the pictures, edge of the kernel.</param>
    /// <param name="backend">Where.</param>
    /// <param name="peak">GFLOP/s to compare with.</param>
    /// <param name="repetitions">The best of so many.</param>
    public static IReadOnlyList<ConvolutionTiming> Run(
        IEnumerable<(int Batch, int Inputs, int Outputs, int Size, int Kernel)> shapes, IBackend backend, double peak, int repetitions = 20) =>
        [.. shapes.SelectMany(shape => Time(backend, shape, repetitions, peak))];

    private static IEnumerable<ConvolutionTiming> Time(
        IBackend backend, (int Batch, int Inputs, int Outputs, int Size, int Kernel) shape, int repetitions, double peak)
    {
        (int batch, int inputs, int outputs, int size, int kernel) = shape;
        var geometry = new ConvolutionShape(size, size, kernel);
        int pixels = geometry.Pixels;
        Tensor x = Filled(backend, batch * pixels, inputs), y = Filled(backend, batch * pixels, outputs);
        Tensor w = Filled(backend, outputs * geometry.Taps, inputs);
        Tensor image = backend.Allocate(batch * pixels, outputs), back = backend.Allocate(batch * pixels, inputs);
        Tensor[] gradients = [.. Enumerable.Range(0, backend.Threads).Select(_ => backend.Allocate(w.Rows, w.Columns))];
        PackedConvolution forward = backend.CreatePackedConvolution(geometry, inputs, outputs);
        PackedConvolution adjoint = backend.CreatePackedConvolution(geometry, outputs, inputs);
        backend.PackConvolution(w, false, forward);
        backend.PackConvolution(w, true, adjoint);
        Tensor Part(Tensor all, int thread)
        {
            int first = batch * thread / backend.Threads, end = batch * (thread + 1) / backend.Threads;
            return all.RowRange(first * pixels, (end - first) * pixels);
        }

        Action<int> toOutput = t => backend.Convolve(Part(x, t), forward, 0, Part(image, t));
        Action<int> toInput = t => backend.Convolve(Part(y, t), adjoint, 0, Part(back, t));
        Action<int> toWeight = t => backend.ConvolutionWeightGradient(geometry, Part(x, t), Part(y, t), gradients[t]);
        void Sum()
        {
            foreach (Tensor other in gradients.Skip(1))
            {
                backend.Axpby(1, other, 1, gradients[0]);
                backend.Fill(other, 0);
            }
        }

        (string Pass, int Products, Action Run)[] passes =
        [
            ("forward", 1, () => backend.Parallel(backend.Threads, toOutput)),
            ("adjoint", 1, () => backend.Parallel(backend.Threads, toInput)),
            ("gradient", 1, () =>
            {
                backend.Parallel(backend.Threads, toWeight);
                Sum();
            }),
            ("all", 3, () =>
            {
                backend.Parallel(backend.Threads, t =>
                {
                    toOutput(t);
                    toInput(t);
                    toWeight(t);
                });
                Sum();
            }),
        ];
        void Wait(string pass) => GemmBenchmark.Wait(backend, pass switch
        {
            "forward" => image,
            "adjoint" => back,
            _ => gradients[0],
        });

        double operations = 2.0 * batch * pixels * inputs * outputs * geometry.Taps;
        foreach ((string pass, int products, Action run) in passes)
        {
            double seconds = Best(run, () => Wait(pass), repetitions);
            double gflops = products * operations / seconds / 1e9;
            yield return new ConvolutionTiming(pass, batch, inputs, outputs, size, kernel, seconds * 1e3, gflops, gflops / peak);
        }
    }

    private static double Best(Action run, Action wait, int repetitions)
    {
        // Long enough for the JIT to have replaced its first, unoptimised code.
        long start = Stopwatch.GetTimestamp();
        do
        {
            run();
            wait();
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < WarmUpSeconds);

        start = Stopwatch.GetTimestamp();
        run();
        wait();
        int rounds = (int)Math.Clamp(MinimumSeconds / Stopwatch.GetElapsedTime(start).TotalSeconds, 1, 10_000);
        double best = double.PositiveInfinity;
        for (int repetition = 0; repetition < repetitions; repetition++)
        {
            start = Stopwatch.GetTimestamp();
            for (int round = 0; round < rounds; round++)
            {
                run();
            }

            wait();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds / rounds);
        }

        return best;
    }

    private static Tensor Filled(IBackend backend, int rows, int columns)
    {
        Tensor x = backend.Allocate(rows, columns);
        backend.Fill(x, 1e-3); // gradients add up without overflowing
        return x;
    }
}
