using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Tensors;

/// <summary>
/// A <see cref="Workspace"/> for each thread and backend: temporaries of the work on weights, which belongs to no shard. Whoever rents
/// releases before returning.
/// </summary>
internal static class ThreadWorkspace
{
    // By the number of the thread. A ThreadLocal would hold the backend for as long as the thread lives.
    private static readonly ConditionalWeakTable<IBackend, ConcurrentDictionary<int, Workspace>> s_workspaces = [];

    /// <summary>The calling thread's.</summary>
    public static Workspace For(IBackend backend) =>
        Of(backend).GetOrAdd(Environment.CurrentManagedThreadId, static (_, b) => new Workspace(b), backend);

    /// <summary>Makes another workspace the calling thread's for as long as some work takes.</summary>
    public static void Lend(IBackend backend, Workspace workspace, Action work)
    {
        ConcurrentDictionary<int, Workspace> all = Of(backend);
        int thread = Environment.CurrentManagedThreadId;
        Workspace before = For(backend);
        all[thread] = workspace;
        try
        {
            work();
        }
        finally
        {
            all[thread] = before;
        }
    }

    private static ConcurrentDictionary<int, Workspace> Of(IBackend backend) => s_workspaces.GetValue(backend, static _ => []);
}
