using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>One device in use by one backend: its primary context, one stream, memory and kernels. Calls may come from any thread.</summary>
/// <remarks>
/// Everything runs in the order in which it was queued. One lock orders the callers; a <see cref="CudaRecording"/> holds it while it runs, so that
/// nothing of other threads gets into a graph.
/// </remarks>
internal sealed unsafe partial class CudaContext : IDisposable
{
    private const int LargestGridYZ = 65_535;
    private const int LargestBlock = 1024;

    [ThreadStatic]
    private static long t_current; // the number of the context that is current on this thread

    private static long s_contexts;

    private readonly Lock _queue = new();
    private readonly long _number = Interlocked.Increment(ref s_contexts); // from 1: no thread starts with it
    private readonly int _device;
    private readonly MemoryPool _pool;
    private readonly nint _context;
    private nint _stream;
    private KernelModule? _kernels;
    private bool _isDisposed;

    private CudaContext(int device)
    {
        _device = device;
        _pool = new MemoryPool(AllocateBlock, FreeBlock);
        DeviceName = CudaDevice.Name(device);
        Multiprocessors = CudaDevice.Attribute(device, Driver.MultiprocessorCount);
        nint handle = 0;
        Check(Driver.PrimaryContextRetain(&handle, device), "cuDevicePrimaryCtxRetain");
        _context = handle;
    }

    /// <summary>The device's name.</summary>
    public string DeviceName { get; }

    /// <summary>Its number of multiprocessors.</summary>
    public int Multiprocessors { get; }

    /// <summary>The stream, for libraries that queue by themselves.</summary>
    public nint Stream => _stream;

    /// <summary>Bytes of device memory in use, held, and in use at most.</summary>
    public MemoryUse Memory
    {
        get
        {
            lock (_queue)
            {
                _pool.Drain();
                return _pool.Use;
            }
        }
    }

    /// <summary>Opens device <paramref name="device"/> with the kernels embedded in this assembly.</summary>
    /// <exception cref="BackendUnavailableException">There is no driver, no such device, or they are too old.</exception>
    public static CudaContext Open(int device) => Open(device, KernelModule.EmbeddedPtx());

    /// <summary>As above, with other kernels.</summary>
    public static CudaContext Open(int device, string ptx)
    {
        CudaDevice.RequireDriver();
        int number = CudaDevice.Require(device);
        var context = new CudaContext(number);
        try
        {
            context.Start(ptx);
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes the queue for a call of a library that queues by itself, with the context current; leave it by disposing what comes back.
    /// </summary>
    public Lock.Scope Enter()
    {
        Lock.Scope scope = _queue.EnterScope();
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            MakeCurrent();
            return scope;
        }
        catch
        {
            scope.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Queues a kernel. Nothing is queued where the grid has no block. Sizes of arguments are checked against the kernel's parameters, which
    /// are read from the PTX.
    /// </summary>
    public void Launch(string kernel, Grid grid, params ReadOnlySpan<Argument> arguments) => Launch(kernel, grid, arguments, isCooperative: false);

    /// <summary>Queues a kernel whose blocks wait for each other (all must be resident at once); see <see cref="CooperativeBlocks"/>.</summary>
    public void LaunchCooperative(string kernel, Grid grid, params ReadOnlySpan<Argument> arguments) =>
        Launch(kernel, grid, arguments, isCooperative: true);

    /// <summary>The most blocks of so many threads of a kernel that are resident on the whole device at once.</summary>
    public int CooperativeBlocks(string kernel, int threads)
    {
        using Lock.Scope scope = Enter();
        int blocks = 0;
        int status = Driver.OccupancyBlocks(&blocks, _kernels![kernel].Function, threads, 0);
        return status == Driver.Success
            ? blocks * Multiprocessors
            : throw CudaException.OfDriver(status, "cuOccupancyMaxActiveBlocksPerMultiprocessor", $"{kernel}, {threads} threads a block");
    }

    /// <summary>Waits for everything queued; nobody can queue meanwhile.</summary>
    public void Synchronize()
    {
        using Lock.Scope scope = Enter();
        _recording?.Refuse("it waits for the device");
        Check(Driver.StreamSynchronize(_stream), "cuStreamSynchronize");
    }

    /// <summary>Waits for everything queued, then gives all memory back, and releases the device.</summary>
    /// <exception cref="CudaException">Something of that failed, or a kernel queued before; all the rest was done nevertheless.</exception>
    public void Dispose()
    {
        lock (_queue)
        {
            if (_isDisposed)
            {
                return;
            }

            CudaException? failure = null;
            Attempt(MakeCurrent);
            Attempt(() => Check(Driver.StreamSynchronize(_stream), "cuStreamSynchronize"));
            foreach (CudaGraph graph in _graphs.ToArray())
            {
                Attempt(() => Destroy(graph));
            }

            Attempt(_pinned.Dispose);
            Attempt(_pool.Clear);
            Attempt(() => _kernels?.Dispose());
            Attempt(() => Check(_stream == 0 ? Driver.Success : Driver.StreamDestroy(_stream), "cuStreamDestroy"));
            (_isDisposed, t_current) = (true, 0);
            Attempt(() => Check(Driver.PrimaryContextRelease(_device), "cuDevicePrimaryCtxRelease"));
            if (failure is not null)
            {
                throw failure;
            }

            void Attempt(Action step)
            {
                try
                {
                    step();
                }
                catch (CudaException e)
                {
                    failure ??= e;
                }
            }
        }
    }

    private static void Check(int status, string call) => CudaException.ThrowIfFailed(status, call);

    private void Launch(string name, Grid grid, ReadOnlySpan<Argument> arguments, bool isCooperative)
    {
        using Lock.Scope scope = Enter();
        Kernel kernel = _kernels![name];
        kernel.Check(arguments);
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0)
        {
            return;
        }

        if (grid.X < 0 || (uint)grid.Y > LargestGridYZ || (uint)grid.Z > LargestGridYZ || grid.Threads <= 0 || grid.Threads > LargestBlock)
        {
            throw new ArgumentException($"{name} cannot run on {grid}: at most {LargestGridYZ} blocks in y and z, and {LargestBlock} threads.");
        }

        void** parameters = stackalloc void*[arguments.Length + 1]; // one more, as a stack allocation of zero bytes has no address
        fixed (Argument* first = arguments)
        {
            for (int i = 0; i < arguments.Length; i++)
            {
                parameters[i] = first + i;
                Pin(first[i].Address);
            }

            (uint x, uint y, uint z, uint threads) = ((uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)grid.Threads);
            int status = isCooperative
                ? Driver.LaunchCooperativeKernel(kernel.Function, x, y, z, threads, 1, 1, 0, _stream, parameters)
                : Driver.LaunchKernel(kernel.Function, x, y, z, threads, 1, 1, 0, _stream, parameters, null);
            if (status != Driver.Success)
            {
                throw CudaException.OfDriver(status, isCooperative ? "cuLaunchCooperativeKernel" : "cuLaunchKernel", $"kernel {name}, {grid}");
            }
        }
    }

    private void Start(string ptx)
    {
        using Lock.Scope scope = Enter();
        nint handle = 0;
        Check(Driver.StreamCreate(&handle, Driver.StreamNonBlocking), "cuStreamCreate");
        _stream = handle;
        _kernels = new KernelModule(ptx);
    }

    private void MakeCurrent()
    {
        if (t_current != _number)
        {
            Check(Driver.ContextSetCurrent(_context), "cuCtxSetCurrent");
            t_current = _number;
        }
    }
}
