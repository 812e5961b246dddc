using System.Runtime.ExceptionServices;

namespace Lipschitz.Verification;

/// <summary>A parallel loop that keeps to a number of threads, the loops within it included.</summary>
internal static class BoundedLoop
{
    /// <summary>Runs the body for 0 to count - 1; a failure is thrown as it is.</summary>
    /// <param name="count">How often.</param>
    /// <param name="threads">Threads at most; null for all processors.</param>
    /// <param name="body">What to run; loops in it must be on <see cref="Inner"/>.</param>
    public static void Run(int count, int? threads, Action<int> body)
    {
        TaskScheduler scheduler = threads is { } most
            ? new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, most).ConcurrentScheduler
            : TaskScheduler.Default;
        try
        {
            Parallel.For(0, count, new ParallelOptions { TaskScheduler = scheduler }, body);
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    /// <summary>Of a loop that may be within another: it takes part in the threads of that one.</summary>
    public static ParallelOptions Inner => new() { TaskScheduler = TaskScheduler.Current };
}
