namespace Lipschitz.Verification.Tests;

public class BoundedLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Loops_within_keep_to_the_threads_of_the_whole(int threads)
    {
        int running = 0, most = 0, done = 0;
        Lock guard = new();
        BoundedLoop.Run(5, threads, _ => Parallel.For(0, 12, BoundedLoop.Inner, _ =>
        {
            lock (guard)
            {
                most = Math.Max(most, ++running);
            }

            Thread.Sleep(1);
            lock (guard)
            {
                running--;
                done++;
            }
        }));
        Assert.Equal(60, done);
        Assert.InRange(most, 1, threads);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(null)]
    public void A_failure_is_thrown_as_it_is(int? threads) =>
        Assert.Throws<NotSupportedException>(() => BoundedLoop.Run(3, threads, _ => throw new NotSupportedException()));
}
