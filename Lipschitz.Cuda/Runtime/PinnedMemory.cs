using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// Page-locked host memory that copies go through: a ring of slabs for uploads, whose events say when the device has read them, and two slabs for
/// downloads. Made when first used. Callers hold the queue's lock.
/// </summary>
internal sealed unsafe class PinnedMemory : IDisposable
{
    /// <summary>Bytes of a slab, the most of one copy.</summary>
    public const int SlabBytes = 4 << 20;

    private const int Alignment = 256;
    private readonly Slab[] _uploads = [new(), new(), new(), new()];
    private readonly Slab[] _downloads = [new(), new()];
    private int _current; // the slab of the ring that is being filled
    private int _used; // bytes of it

    /// <summary>Room for the next upload, which must be queued before the next call; waits where the device is a whole ring behind.</summary>
    public nint NextUpload(long bytes, nint stream)
    {
        if (_used + bytes > SlabBytes)
        {
            _uploads[_current].Record(stream);
            _current = (_current + 1) % _uploads.Length;
            _uploads[_current].Wait();
            _used = 0;
        }

        nint room = _uploads[_current].Address + _used;
        _used = (int)((_used + bytes + Alignment - 1) / Alignment * Alignment);
        return room;
    }

    /// <summary>One of the two slabs for downloads.</summary>
    public nint Download(int turn) => _downloads[turn].Address;

    /// <summary>To be called when the copy into a slab is queued.</summary>
    public void RecordDownload(int turn, nint stream) => _downloads[turn].Record(stream);

    /// <summary>Waits until the copy is done.</summary>
    public void WaitForDownload(int turn) => _downloads[turn].Wait();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Slab slab in (ReadOnlySpan<Slab>)[.. _uploads, .. _downloads])
        {
            slab.Dispose();
        }
    }

    /// <summary>Page-locked memory of so many bytes.</summary>
    public static nint Allocate(int bytes)
    {
        void* address = null;
        int status = Driver.MemHostAlloc(&address, (nuint)bytes, 0);
        return status == Driver.Success ? (nint)address : throw CudaException.OfDriver(status, "cuMemHostAlloc", $"{bytes} bytes");
    }

    /// <summary>Gives it back.</summary>
    public static void Free(nint address) => CudaException.ThrowIfFailed(Driver.MemFreeHost((void*)address), "cuMemFreeHost");

    /// <summary>Page-locked memory and the event behind the last copy from or to it.</summary>
    private sealed class Slab : IDisposable
    {
        private nint _address;
        private nint _event;
        private bool _isPending;

        public nint Address => _address != 0 ? _address : _address = Allocate(SlabBytes);

        public void Record(nint stream)
        {
            if (_event == 0)
            {
                nint created = 0;
                CudaException.ThrowIfFailed(Driver.EventCreate(&created, Driver.EventDisableTiming), "cuEventCreate");
                _event = created;
            }

            CudaException.ThrowIfFailed(Driver.EventRecord(_event, stream), "cuEventRecord");
            _isPending = true;
        }

        public void Wait()
        {
            if (_isPending)
            {
                CudaException.ThrowIfFailed(Driver.EventSynchronize(_event), "cuEventSynchronize");
                _isPending = false;
            }
        }

        public void Dispose()
        {
            if (_address != 0)
            {
                Free(_address);
                _address = 0;
            }

            if (_event != 0)
            {
                CudaException.ThrowIfFailed(Driver.EventDestroy(_event), "cuEventDestroy");
                _event = 0;
            }
        }
    }
}
