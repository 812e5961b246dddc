namespace Lipschitz.Cuda.Runtime;

/// <content>What recordings need of their context.</content>
internal sealed unsafe partial class CudaContext
{
    private readonly HashSet<CudaGraph> _graphs = [];
    private CudaRecording? _recording; // the one that runs; only its own thread ever sees it, since it holds the lock

    /// <summary>Room for a graph. Its temporaries' memory comes from the pool and stays with the graph until that is destroyed.</summary>
    internal CudaGraph CreateGraph()
    {
        using Lock.Scope scope = Enter();
        DestroyAbandoned();
        var arena = new MemoryPool(
            bytes =>
            {
                MemoryBlock block = _pool.Rent(bytes);
                return new MemoryBlock(block.Address, block.Bytes) { Parent = block };
            },
            block => _pool.Release(block.Parent!, block.Parent!.Ticket));
        var created = new CudaGraph(arena);
        _graphs.Add(created);
        return created;
    }

    /// <summary>Destroys the graphs whose recordings were collected.</summary>
    private void DestroyAbandoned()
    {
        foreach (CudaGraph abandoned in _graphs.Where(graph => graph.IsAbandoned).ToArray())
        {
            Destroy(abandoned);
        }
    }

    internal void Destroy(CudaGraph graph)
    {
        lock (_queue)
        {
            if (_graphs.Remove(graph))
            {
                MakeCurrent();
                graph.Destroy(_pool, _stream);
            }
        }
    }

    /// <summary>Lets go of what a graph that did not come about would have used.</summary>
    internal void Forget(CudaGraph graph) => graph.Forget(_pool);

    /// <summary>
    /// Keeps the memory at an address for the graph that is being captured, if one is: even where its owner lets it go, nobody else may get what
    /// replays write to. Whoever queues anything calls this for each operand; launches and copies do.
    /// </summary>
    internal void Pin(nint address)
    {
        if (_recording is { IsCapturing: true } recording && _pool.Find(address) is MemoryBlock block)
        {
            recording.Pin(block);
        }
    }

    /// <summary>Calls an action whose temporaries come from the recording's arena. The caller holds the queue.</summary>
    internal void RunIn(CudaRecording recording, Action action)
    {
        if (_recording is not null)
        {
            throw new InvalidOperationException("A recording was run within another; run them one after the other.");
        }

        _recording = recording;
        try
        {
            action();
        }
        finally
        {
            _recording = null;
        }
    }
}
