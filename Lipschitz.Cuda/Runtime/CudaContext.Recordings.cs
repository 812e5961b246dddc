namespace Lipschitz.Cuda.Runtime;

/// <content>What recordings need of their context.</content>
internal sealed unsafe partial class CudaContext
{
    /// <summary>The lock that orders the callers.</summary>
    internal Lock Queue => _queue;

    internal void Register(CudaRecording recording)
    {
        lock (_queue)
        {
            _recordings.Add(recording);
        }
    }

    internal void Unregister(CudaRecording recording) => _recordings.Remove(recording);

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
