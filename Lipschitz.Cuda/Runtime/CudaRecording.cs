using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// Work that is queued again and again with the same kernels and the same arguments: captured once into a CUDA graph, then replayed by one call.
/// </summary>
/// <remarks>
/// <para>
/// <see cref="Run"/> does the work each time it is called. The first time it runs the action as it is, so that libraries load their kernels and
/// choose their algorithms. The second time the action's calls are captured instead of executed, and the graph is launched. From then on the
/// graph alone is launched and the action is not called. So the action must do nothing but queue work, on the thread it is called on, and not
/// depend on anything that changes.
/// </para>
/// <para>
/// A graph holds addresses. Temporaries that the action rents come from an arena of the recording's own, and no memory that is an operand of
/// anything captured goes to others, until the recording is disposed or collected. Where the action cannot be captured, because it
/// downloads or uploads numbers, waits, or uses a library call that CUDA cannot capture, it is called each time and <see cref="Refusal"/> says why.
/// </para>
/// </remarks>
internal sealed unsafe class CudaRecording : IDisposable
{
    private readonly CudaContext _context;
    private readonly Action _action;
    private readonly CudaGraph _graph;
    private bool _isWarm;

    public CudaRecording(CudaContext context, Action action)
    {
        _context = context;
        _action = action;
        _graph = context.CreateGraph();
    }

    ~CudaRecording() => _graph?.Abandon();

    /// <summary>Why the action is called each time; null as long as it is, or may yet be, a graph.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Whether the work is a graph by now.</summary>
    public bool IsGraph => _graph.Executable != 0;

    /// <summary>Whether calls are being captured at this moment.</summary>
    public bool IsCapturing { get; private set; }

    /// <summary>The memory that the action's temporaries come from.</summary>
    public MemoryPool Arena => _graph.Arena;

    /// <summary>Does the work once.</summary>
    public void Run()
    {
        using Lock.Scope scope = _context.Enter();
        ObjectDisposedException.ThrowIf(_graph.IsDisposed, this);
        if (_isWarm && Refusal is null && !IsGraph)
        {
            Capture();
        }

        if (IsGraph)
        {
            CudaException.ThrowIfFailed(Driver.GraphLaunch(_graph.Executable, _context.Stream), "cuGraphLaunch");
            return;
        }

        _context.RunIn(this, _action);
        _isWarm = true;
    }

    /// <summary>Destroys the graph and gives its memory back.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _context.Destroy(_graph);
    }

    /// <summary>Keeps a block for as long as the graph lives.</summary>
    public void Pin(MemoryBlock block)
    {
        if (_graph.Blocks.Add(block))
        {
            block.Graphs++;
        }
    }

    /// <summary>Page-locked host memory that lives as long as the graph.</summary>
    public nint PinHost(int bytes)
    {
        nint address = PinnedMemory.Allocate(bytes);
        _graph.Pinned.Add(address);
        return address;
    }

    /// <summary>Gives a capture up, if one is under way.</summary>
    public void Refuse(string reason)
    {
        if (IsCapturing)
        {
            throw new NotRecordableException(reason);
        }
    }

    // Leaves either a graph or a refusal.
    private void Capture()
    {
        nint captured = 0;
        try
        {
            Refusal = CaptureAction(ref captured) ?? Instantiate(captured);
        }
        finally
        {
            if (!IsGraph)
            {
                _context.Forget(_graph);
            }

            if (captured != 0)
            {
                CudaException.ThrowIfFailed(Driver.GraphDestroy(captured), "cuGraphDestroy");
            }
        }
    }

    // Relaxed mode, since a library may allocate while it is captured; the lock keeps other threads away.
    private string? CaptureAction(ref nint captured)
    {
        int status = Driver.StreamBeginCapture(_context.Stream, Driver.CaptureRelaxed);
        if (status != Driver.Success)
        {
            return CudaException.OfDriver(status, "cuStreamBeginCapture").Message;
        }

        IsCapturing = true;
        string? refusal = null;
        try
        {
            _context.RunIn(this, _action);
        }
        catch (Exception e)
        {
            refusal = e.Message; // what is wrong with the action itself shows when it is called as it is
        }
        finally
        {
            IsCapturing = false;
            fixed (nint* graph = &captured)
            {
                status = Driver.StreamEndCapture(_context.Stream, graph); // also where the action failed, to get the stream back
            }
        }

        return refusal ?? (status == Driver.Success ? null : CudaException.OfDriver(status, "cuStreamEndCapture").Message);
    }

    private string? Instantiate(nint captured)
    {
        nint executable = 0;
        int status = Driver.GraphInstantiate(&executable, captured, 0);
        _graph.Executable = status == Driver.Success ? executable : 0;
        return status == Driver.Success ? null : CudaException.OfDriver(status, "cuGraphInstantiateWithFlags").Message;
    }
}

/// <summary>Something was asked for that a graph cannot repeat.</summary>
internal sealed class NotRecordableException(string reason) : Exception($"The work cannot be a graph: {reason}.");
