namespace Lipschitz.Cpu.Tests;

public class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Every_index_runs_once_in_thousands_of_runs(int threads)
    {
        using var pool = new WorkerPool(threads);
        Assert.Equal(threads, pool.Threads);
        int[] calls = new int[37];
        for (int run = 1; run <= 3000; run++)
        {
            int count = run % 38;
            Array.Clear(calls);
            pool.Run(count, i => Interlocked.Increment(ref calls[i]));
            Assert.All(calls, (c, i) => Assert.Equal(i < count ? 1 : 0, c));
        }
    }

    [Fact]
    public void Sleeping_workers_wake_up()
    {
        using var pool = new WorkerPool(3);
        for (int run = 0; run < 5; run++)
        {
            Thread.Sleep(20); // long past the time of looking on
            int calls = 0;
            using var together = new Barrier(3); // passes only with three threads at once
            pool.Run(3, _ =>
            {
                Assert.True(together.SignalAndWait(TimeSpan.FromSeconds(30)));
                Interlocked.Increment(ref calls);
            });
            Assert.Equal(3, calls);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void All_failures_are_gathered_and_the_other_calls_are_made(int threads)
    {
        using var pool = new WorkerPool(threads);
        int calls = 0;
        AggregateException failure = Assert.Throws<AggregateException>(() => pool.Run(20, i =>
        {
            Interlocked.Increment(ref calls);
            if (i % 5 == 0)
            {
                throw new InvalidOperationException($"{i}");
            }
        }));
        Assert.Equal(20, calls);
        Assert.Equal(["0", "10", "15", "5"], failure.InnerExceptions.Select(e => e.Message).Order());
        pool.Run(5, _ => Interlocked.Increment(ref calls)); // the failures are forgotten
        Assert.Equal(25, calls);
    }

    [Fact]
    public void Calls_from_inside_and_from_other_threads_run_too()
    {
        using var pool = new WorkerPool(3);
        int calls = 0;
        pool.Run(4, _ => pool.Run(5, _ => Interlocked.Increment(ref calls)));
        Assert.Equal(20, calls);
        Thread[] others = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int run = 0; run < 50; run++)
            {
                pool.Run(6, _ => Interlocked.Increment(ref calls));
            }
        }))];
        Array.ForEach(others, t => t.Start());
        Array.ForEach(others, t => t.Join());
        Assert.Equal(20 + (4 * 50 * 6), calls);
    }

    [Fact]
    public void A_run_allocates_nothing_on_the_calling_thread()
    {
        using var pool = new WorkerPool(2);
        Action<int> body = _ => { };
        for (int warm = 0; warm < 100; warm++)
        {
            pool.Run(8, body);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int run = 0; run < 100; run++)
        {
            pool.Run(8, body);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
