using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests.Runtime;

public class MemoryPoolTests
{
    private readonly List<MemoryBlock> _made = [];
    private readonly List<MemoryBlock> _freed = [];
    private readonly MemoryPool _pool;

    public MemoryPoolTests() => _pool = new MemoryPool(
        bytes =>
        {
            var block = new MemoryBlock(4096 * (1 + _made.Count), bytes);
            _made.Add(block);
            return block;
        },
        _freed.Add);

    [Fact]
    public void Sizes_are_rounded_up_by_at_most_an_eighth()
    {
        Assert.Equal(512, MemoryPool.RoundUp(0));
        Assert.Equal(512, MemoryPool.RoundUp(512));
        Assert.Equal(576, MemoryPool.RoundUp(513));
        Assert.Equal(640, MemoryPool.RoundUp(640));
        Assert.Equal(704, MemoryPool.RoundUp(641));
        Assert.Equal(1L << 40, MemoryPool.RoundUp(1L << 40));
        var random = new Random(1);
        for (int i = 0; i < 1000; i++)
        {
            long bytes = random.NextInt64(513, 1L << random.Next(10, 40));
            Assert.InRange(MemoryPool.RoundUp(bytes), bytes, bytes + (bytes / 8) + 1);
        }
    }

    [Fact]
    public void A_released_block_is_rented_again()
    {
        MemoryBlock first = _pool.Rent(1000);
        _pool.Release(first, first.Ticket);
        Assert.Same(first, _pool.Rent(990));
        Assert.NotSame(first, _pool.Rent(990));
        Assert.Equal(new MemoryUse(2048, 2048, 2048), _pool.Use);
    }

    [Fact]
    public void A_second_release_is_an_error_also_when_somebody_else_has_the_block_by_then()
    {
        MemoryBlock block = _pool.Rent(1000);
        int ticket = block.Ticket;
        _pool.Release(block, ticket);
        Assert.Throws<InvalidOperationException>(() => _pool.Release(block, ticket));
        Assert.Same(block, _pool.Rent(1000));
        Assert.Throws<InvalidOperationException>(() => _pool.Release(block, ticket));
    }

    [Fact]
    public void What_a_finaliser_drops_comes_back_with_the_next_rent()
    {
        MemoryBlock block = _pool.Rent(1000);
        _pool.Drop(block);
        Assert.Same(block, _pool.Rent(1000));
        Assert.Single(_made);
    }

    [Fact]
    public void Trimming_frees_what_waits_and_clearing_frees_all()
    {
        MemoryBlock[] blocks = [_pool.Rent(1000), _pool.Rent(5000), _pool.Rent(70_000)];
        _pool.Release(blocks[1], blocks[1].Ticket);
        _pool.Trim();
        Assert.Equal([blocks[1]], _freed);
        _pool.Clear();
        Assert.Equal(3, _freed.Count);
        Assert.Equal(0, _pool.Use.Held);
        Assert.Equal(0, _pool.Use.Rented);
        _pool.Release(blocks[0], blocks[0].Ticket); // whoever still has one may let it go
        Assert.NotSame(blocks[0], _pool.Rent(1000));
    }

    [Fact]
    public void A_block_of_a_graph_goes_to_nobody_until_the_graph_is_gone()
    {
        MemoryBlock block = _pool.Rent(1000);
        Assert.Same(block, _pool.Find(block.Address + 999));
        Assert.Null(_pool.Find(block.Address + (nint)block.Bytes));
        block.Graphs++;
        _pool.Release(block, block.Ticket);
        MemoryBlock other = _pool.Rent(1000);
        Assert.NotSame(block, other);
        _pool.Unpin(block);
        Assert.Same(block, _pool.Rent(1000));
    }
}
