using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Tensors;

/// <summary>
/// A <see cref="Workspace"/> for each thread and backend: temporaries of the work on weights, which belongs to no shard. Whoever rents
/// releases before returning.
/// </summary>
internal static class ThreadWorkspace
{
    private static readonly ConditionalWeakTable<IBackend, ThreadLocal<Workspace>> s_workspaces = [];

    /// <summary>The calling thread's.</summary>
    public static Workspace For(IBackend backend) => Of(backend).Value!;

    /// <summary>Makes another workspace the calling thread's for as long as some work takes.</summary>
    public static void Lend(IBackend backend, Workspace workspace, Action work)
    {
        ThreadLocal<Workspace> own = Of(backend);
        Workspace before = own.Value!;
        own.Value = workspace;
        try
        {
            work();
        }
        finally
        {
            own.Value = before;
        }
    }

    private static ThreadLocal<Workspace> Of(IBackend backend) =>
        s_workspaces.GetValue(backend, static b => new ThreadLocal<Workspace>(() => new Workspace(b)));
}
