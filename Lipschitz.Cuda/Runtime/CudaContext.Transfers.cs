using System.Runtime.InteropServices;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <content>Copies between host and device, and on the device.</content>
internal sealed unsafe partial class CudaContext
{
    private const long LargestPitch = int.MaxValue; // bytes from row to row in a two-dimensional copy

    private readonly PinnedMemory _pinned = new();

    /// <summary>Queues a copy of host numbers to a view (through pinned memory; returns at once, source may be changed afterwards).</summary>
    /// <remarks>Refused in a <see cref="CudaRecording"/>: a replay would bring the numbers of the first time.</remarks>
    public void Upload(ReadOnlySpan<float> source, DeviceView destination)
    {
        RequireLength(source.Length, destination, "Upload");
        using Lock.Scope scope = Enter();
        _recording?.Refuse("it uploads numbers");
        foreach (DeviceView piece in Pieces(destination, PinnedMemory.SlabBytes / sizeof(float)))
        {
            int count = piece.Rows * piece.Columns;
            nint slab = _pinned.NextUpload((long)count * sizeof(float), _stream);
            source[..count].CopyTo(new Span<float>((void*)slab, count));
            source = source[count..];
            CopyPiece(piece, slab, toDevice: true);
        }
    }

    /// <summary>Queues a copy of constants, such as a small table for a kernel, to an address. A recording repeats them.</summary>
    public void UploadConstants<T>(ReadOnlySpan<T> source, nint address)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(source);
        using Lock.Scope scope = Enter();
        Pin(address);
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, PinnedMemory.SlabBytes);
            nint slab = _recording is { IsCapturing: true } ? _recording.PinHost(count) : _pinned.NextUpload(count, _stream);
            bytes[..count].CopyTo(new Span<byte>((void*)slab, count));
            Check(Driver.CopyToDevice(address, (void*)slab, (nuint)count, _stream), "cuMemcpyHtoDAsync");
            bytes = bytes[count..];
            address += count;
        }
    }

    /// <summary>Copies a view to the host, row by row; waits for the queue, and nobody can queue meanwhile.</summary>
    public void Download(DeviceView source, Span<float> destination)
    {
        RequireLength(destination.Length, source, "Download");
        using Lock.Scope scope = Enter();
        _recording?.Refuse("it downloads numbers");

        // While one piece is copied out of its slab the next one is under way.
        (int last, int turn) = (0, 0);
        foreach (DeviceView piece in Pieces(source, PinnedMemory.SlabBytes / sizeof(float)))
        {
            CopyPiece(piece, _pinned.Download(turn), toDevice: false);
            _pinned.RecordDownload(turn, _stream);
            turn ^= 1;
            destination = Take(turn, last, destination);
            last = piece.Rows * piece.Columns;
        }

        Take(turn ^ 1, last, destination);
    }

    /// <summary>Queues destination &lt;- source, same shapes, without overlap.</summary>
    public void Copy(DeviceView source, DeviceView destination)
    {
        using Lock.Scope scope = Enter();
        if (source.Rows == 0 || source.Columns == 0)
        {
            return;
        }

        Pin(source.Data);
        Pin(destination.Data);
        var copy = new Driver.Copy2DParameters
        {
            SourceType = Driver.DeviceMemory,
            SourceDevice = source.Data,
            SourcePitch = Pitch(source),
            DestinationType = Driver.DeviceMemory,
            DestinationDevice = destination.Data,
            DestinationPitch = Pitch(destination),
            WidthBytes = RowBytes(source),
            Height = (nuint)source.Rows,
        };
        Copy2D(&copy, source);
    }

    private static void RequireLength(int length, DeviceView view, string call)
    {
        if (length != (long)view.Rows * view.Columns)
        {
            throw new ArgumentException($"{call}: {length} numbers on the host, but the view is [{view.Rows}, {view.Columns}].");
        }
    }

    // A view in views of at most so many elements: runs of rows, or pieces of a row where one is longer than that.
    private static IEnumerable<DeviceView> Pieces(DeviceView view, int most)
    {
        if (view.Rows == 0 || view.Columns == 0)
        {
            yield break;
        }

        if (view.Rows > 1 && view.Stride == view.Columns)
        {
            view = new DeviceView(view.Data, 1, checked(view.Rows * view.Columns), 0); // no gaps: one long row
        }

        bool isWide = view.Columns > most || (view.Rows > 1 && view.Stride * (long)sizeof(float) > LargestPitch);
        int rows = isWide ? 1 : most / view.Columns;
        for (int row = 0; row < view.Rows; row += rows)
        {
            nint start = view.Data + ((nint)row * view.Stride * sizeof(float));
            for (int column = 0; column < view.Columns; column += most)
            {
                yield return new DeviceView(
                    start + ((nint)column * sizeof(float)), Math.Min(rows, view.Rows - row), Math.Min(most, view.Columns - column), view.Stride);
            }
        }
    }

    private static nuint RowBytes(DeviceView view) => (nuint)view.Columns * sizeof(float);

    // The driver wants a pitch of at least the width even where there is but one row.
    private static nuint Pitch(DeviceView view) => view.Rows > 1 ? (nuint)view.Stride * sizeof(float) : RowBytes(view);

    private Span<float> Take(int turn, int count, Span<float> destination)
    {
        if (count > 0)
        {
            _pinned.WaitForDownload(turn);
            new ReadOnlySpan<float>((void*)_pinned.Download(turn), count).CopyTo(destination);
        }

        return destination[count..];
    }

    // Between a view and as many numbers side by side on the host.
    private void CopyPiece(DeviceView piece, nint host, bool toDevice)
    {
        if (piece.Rows == 1)
        {
            nuint bytes = RowBytes(piece);
            int status = toDevice
                ? Driver.CopyToDevice(piece.Data, (void*)host, bytes, _stream)
                : Driver.CopyToHost((void*)host, piece.Data, bytes, _stream);
            Check(status, toDevice ? "cuMemcpyHtoDAsync" : "cuMemcpyDtoHAsync");
            return;
        }

        var copy = new Driver.Copy2DParameters { WidthBytes = RowBytes(piece), Height = (nuint)piece.Rows };
        if (toDevice)
        {
            (copy.SourceType, copy.SourceHost, copy.SourcePitch) = (Driver.HostMemory, host, RowBytes(piece));
            (copy.DestinationType, copy.DestinationDevice, copy.DestinationPitch) = (Driver.DeviceMemory, piece.Data, Pitch(piece));
        }
        else
        {
            (copy.SourceType, copy.SourceDevice, copy.SourcePitch) = (Driver.DeviceMemory, piece.Data, Pitch(piece));
            (copy.DestinationType, copy.DestinationHost, copy.DestinationPitch) = (Driver.HostMemory, host, RowBytes(piece));
        }

        Copy2D(&copy, piece);
    }

    private void Copy2D(Driver.Copy2DParameters* copy, DeviceView view)
    {
        int status = Driver.Copy2D(copy, _stream);
        if (status != Driver.Success)
        {
            throw CudaException.OfDriver(status, "cuMemcpy2DAsync", $"[{view.Rows}, {view.Columns}], stride {view.Stride}");
        }
    }
}
