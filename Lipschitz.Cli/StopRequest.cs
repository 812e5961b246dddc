namespace Lipschitz.Cli;

/// <summary>
/// Ctrl+C and SIGTERM. While something listens, the first of them asks it to keep what it has and stop; the second, and either at any other time,
/// ends the process.
/// </summary>
/// <param name="outer">Asks, too.</param>
internal sealed class StopRequest(CancellationToken outer = default) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(outer);
    private volatile bool _isHeard;

    /// <summary>Whether a stop was asked for.</summary>
    public bool IsRequested => _source.IsCancellationRequested;

    /// <summary>Does work that looks at the token every now and then.</summary>
    public T Listen<T>(Func<CancellationToken, T> work)
    {
        _isHeard = true;
        try
        {
            return work(_source.Token);
        }
        finally
        {
            _isHeard = false;
        }
    }

    /// <inheritdoc cref="Listen{T}"/>
    public void Listen(Action<CancellationToken> work) => Listen(stop =>
    {
        work(stop);
        return true;
    });

    /// <summary>Passes a signal on; false where the process should end instead.</summary>
    public bool Take()
    {
        if (!_isHeard || IsRequested)
        {
            return false;
        }

        _source.Cancel();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
