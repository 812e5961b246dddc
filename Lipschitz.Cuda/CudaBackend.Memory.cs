using System.Buffers;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>The device, its memory, and what runs where.</content>
internal sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public string Name => $"cuda-float32 ({_context.DeviceName}, {_products.Name}, {_convolutions?.Name ?? "no cuDNN"})";

    /// <inheritdoc/>
    public Precision Precision => Precision.Float32;

    /// <inheritdoc/>
    public int Threads => 1;

    /// <inheritdoc/>
    /// <remarks>A device has some hundred cores that each want a thousand rows or more; one shard for all but the largest batches is best.</remarks>
    public int ShardScale => 64;

    /// <inheritdoc/>
    public long? PeakDeviceBytes => _context.Memory.Peak;

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _convolutions?.Dispose();
        }
        finally
        {
            try
            {
                _products.Dispose();
            }
            finally
            {
                _context.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public DeviceBuffer AllocateBuffer(int length) => new CudaBuffer(_context, length);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<double> source, Tensor destination)
    {
        RequireLength(source.Length, destination, "source");
        float[] rounded = ArrayPool<float>.Shared.Rent(source.Length);
        for (int i = 0; i < source.Length; i++)
        {
            rounded[i] = (float)source[i];
        }

        _context.Upload(rounded.AsSpan(0, source.Length), destination);
        ArrayPool<float>.Shared.Return(rounded);
        GC.KeepAlive(destination.Buffer);
    }

    /// <inheritdoc/>
    public void Download(Tensor source, Span<double> destination)
    {
        RequireLength(destination.Length, source, "destination");
        float[] numbers = ArrayPool<float>.Shared.Rent(destination.Length);
        _context.Download(source, numbers.AsSpan(0, destination.Length));
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = numbers[i];
        }

        ArrayPool<float>.Shared.Return(numbers);
        GC.KeepAlive(source.Buffer);
    }

    /// <inheritdoc/>
    public Action Repeatable(Action work) => Record(work).Run;

    /// <summary>What <see cref="Repeatable"/> runs.</summary>
    internal CudaRecording Record(Action work) => new(_context, work);
}
