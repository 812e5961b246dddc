using System.Runtime.CompilerServices;
using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests.Runtime;

public sealed class CudaContextTests : DeviceTest
{
    [Fact]
    public void A_kernel_gets_its_arguments()
    {
        using CudaContext context = Open();
        CudaBuffer parts = Filled(context, 1, 2, 3, 10, 20, 30);
        CudaBuffer sum = Filled(context, 100, 100, 100);
        context.Launch("add_parts", Grid.Elements(3), View(parts, 2, 3), 2, 0.5f, View(sum, 1, 3));
        Assert.Equal([61, 72, 83], Read(context, View(sum, 1, 3)));
        Assert.Equal(1, Control.Calls("cuLaunchKernel"));
    }

    [Fact]
    public void Arguments_that_a_kernel_does_not_have_are_named()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1);
        DeviceView view = View(x, 1, 1);
        Grid grid = Grid.Elements(1);
        AssertThrows<ArgumentException>("add_parts takes 4 arguments but was given 2", () => context.Launch("add_parts", grid, view, 1));
        AssertThrows<ArgumentException>("Argument 2 of add_parts has 4 bytes but", () => context.Launch("add_parts", grid, view, 1, 1.0, view));
        AssertThrows<ArgumentException>("no kernel nothing", () => context.Launch("nothing", grid));
        AssertThrows<ArgumentException>("cannot run on Grid", () => context.Launch("add_parts", new Grid(1, 70_000, 1, 32), view, 1, 1f, view));
        GC.KeepAlive(x);
    }

    [Fact]
    public void Nothing_is_queued_without_blocks()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1);
        context.Launch("add_parts", Grid.Elements(0), View(x, 0, 1), 1, 1f, View(x, 0, 1));
        Assert.Equal(0, Control.Calls("cuLaunchKernel"));
    }

    [Fact]
    public void A_failed_launch_names_the_kernel()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1);
        Control.Fail("cuLaunchKernel", 1, 701);
        CudaException failure = Assert.Throws<CudaException>(() => Add(context, View(x, 1, 1), View(x, 1, 1)));
        Assert.Equal(701, failure.Status);
        Assert.Contains("cuLaunchKernel (kernel add_parts, Grid { X = 1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Views_go_up_and_down_whatever_their_shape_while_the_device_is_behind()
    {
        Control.Set("deferred", 1);
        using CudaContext context = Open();
        foreach ((int rows, int columns, int stride) in new[]
        {
            (1, 1, 1), (3, 5, 5), (7, 3, 8), (1, 6, 2), (1500, 999, 1000), (2, 1_500_000, 1_500_001), (0, 4, 4), (4, 0, 4),
        })
        {
            var buffer = new CudaBuffer(context, Math.Max(rows, 1) * Math.Max(stride, columns));
            DeviceView view = View(buffer, rows, columns, stride);
            float[] numbers = Draw(rows * columns, 1);
            float[] sent = [.. numbers];
            context.Upload(sent, view);
            Array.Clear(sent); // the caller may change them at once
            Assert.Equal(numbers, Read(context, view));
            if (rows > 1 && columns > 0 && stride > columns)
            {
                Assert.Equal(0, Read(context, View(buffer, 1, 1, 1, columns))[0]); // between the rows nothing was written
            }

            GC.KeepAlive(buffer);
        }
    }

    [Fact]
    public void Many_small_uploads_share_pinned_memory_without_getting_mixed_up()
    {
        Control.Set("deferred", 1);
        using CudaContext context = Open();
        var buffer = new CudaBuffer(context, 100_000);
        float[] numbers = Draw(100_000, 2);
        for (int i = 0; i < 100; i++)
        {
            for (int repeat = 0; repeat < 30; repeat++)
            {
                context.Upload(repeat < 29 ? new float[1000] : numbers.AsSpan(1000 * i, 1000), View(buffer, 1, 1000, 0, 1000 * i));
            }
        }

        Assert.Equal(numbers, Read(context, View(buffer, 1, 100_000)));
    }

    [Fact]
    public void Lengths_must_fit()
    {
        using CudaContext context = Open();
        CudaBuffer buffer = Filled(context, 1, 2);
        Assert.Throws<ArgumentException>(() => context.Upload(new float[3], View(buffer, 1, 2)));
        Assert.Throws<ArgumentException>(() => context.Download(View(buffer, 1, 2), new float[1]));
    }

    [Fact]
    public void Buffers_are_zero_and_their_memory_comes_back_when_they_are_collected()
    {
        using CudaContext context = Open();
        nint first = MakeAndDrop(context);
        Collect();
        long held = context.Memory.Held;
        Assert.Equal(0, context.Memory.Rented);
        Assert.Equal(first, MakeAndDrop(context));
        Assert.Equal(held, context.Memory.Held);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static nint MakeAndDrop(CudaContext context)
        {
            var buffer = new CudaBuffer(context, 100);
            Assert.All(Read(context, View(buffer, 1, 100)), number => Assert.Equal(0, number));
            context.Upload(Draw(100, 3), View(buffer, 1, 100));
            return buffer.Address;
        }
    }

    [Fact]
    public void Scratch_is_released_once()
    {
        using CudaContext context = Open();
        Scratch scratch = context.Rent(1000);
        Assert.Equal(0, scratch.Address % 256);
        scratch.Dispose();
        Assert.Throws<InvalidOperationException>(scratch.Dispose);
        using Scratch again = context.Rent(1000);
        Assert.Equal(scratch.Address, again.Address);
    }

    [Fact]
    public void A_full_device_is_emptied_of_what_nobody_uses_and_then_told_of()
    {
        Control.Set("memory", 1 << 20);
        using CudaContext context = Open();
        context.Rent(700_000).Dispose();
        context.Rent(350_000).Dispose(); // fits only once the first is back with the driver
        Scratch kept = context.Rent(600_000);
        CudaException failure = Assert.Throws<CudaException>(() => context.Rent(600_000));
        Assert.Contains("cuMemAlloc (0.6 MiB wanted, 0.6 MiB in use here", failure.Message, StringComparison.Ordinal);
        Assert.Contains("CUDA_ERROR_OUT_OF_MEMORY (2)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("smaller training.batch", failure.Message, StringComparison.Ordinal);
        kept.Dispose();
        context.Rent(600_000).Dispose();
    }

    [Fact]
    public void A_failed_call_while_opening_leaves_nothing_behind()
    {
        Open().Dispose();
        string[] calls = [.. Control.Called.Where(name => name is not ("cuGetErrorName" or "cuGetErrorString"))];
        Assert.Contains("cuModuleGetFunction", calls);
        foreach (string call in calls.TakeWhile(name => name != "cuStreamSynchronize"))
        {
            Control.Reset();
            Control.Fail(call, 1, 999);
            Exception failure = Assert.ThrowsAny<BackendException>(Open);
            Assert.Contains("999", (failure.InnerException ?? failure).Message, StringComparison.Ordinal);
            Assert.Equal("", Control.Leaks);
        }

        Control.Reset();
    }

    [Fact]
    public void A_device_that_is_not_there_or_too_old_is_told_of()
    {
        AssertThrows<BackendUnavailableException>("no CUDA device 1; this machine has 1", () => CudaContext.Open(1));
        Control.Set("major", 7);
        Control.Set("minor", 5);
        AssertThrows<BackendUnavailableException>("compute capability 7.5; 8.0 or later", () => Open());
        Control.Set("driver", 11_080);
        AssertThrows<BackendUnavailableException>("is of CUDA 11.8; CUDA 12.0 or later", () => Open());
    }

    [Fact]
    public void Threads_may_share_a_context()
    {
        using CudaContext context = Open();
        CudaBuffer one = Filled(context, 1);
        Parallel.For(0, 8, _ =>
        {
            var sum = new CudaBuffer(context, 1);
            for (int i = 0; i < 50; i++)
            {
                using Scratch scratch = context.Rent(4);
                var copy = new DeviceView(scratch.Address, 1, 1, 1);
                context.Copy(View(one, 1, 1), copy);
                Add(context, copy, View(sum, 1, 1));
            }

            Assert.Equal(50, Read(context, View(sum, 1, 1))[0]);
            GC.KeepAlive(sum);
        });
    }

    [Fact]
    public void A_kernel_that_failed_is_told_of_by_the_next_call_that_waits()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1);
        Add(context, new DeviceView(64, 1, 1, 1), View(x, 1, 1));
        CudaException failure = Assert.Throws<CudaException>(context.Synchronize);
        Assert.Equal(700, failure.Status);
        Assert.Contains("CUDA_LAUNCH_BLOCKING", failure.Message, StringComparison.Ordinal);
        Assert.NotEqual("", Control.Complaints);
        Control.Reset(); // the double forgets the failure, so that the context can be given back
    }

    [Fact]
    public void A_failure_that_shows_when_the_context_is_disposed_is_told_of_after_all_was_given_back()
    {
        CudaContext context = Open();
        CudaBuffer x = Filled(context, 1);
        var recording = new CudaRecording(context, () => Add(context, View(x, 1, 1), View(x, 1, 1)));
        recording.Run();
        recording.Run();
        Control.Fail("cuStreamSynchronize", 1, 719);
        AssertThrows<CudaException>("CUDA_ERROR_LAUNCH_FAILED (719)", context.Dispose);
        Assert.Equal("", Control.Leaks);
        context.Dispose();
        recording.Dispose();
    }

    [Fact]
    public void A_disposed_context_says_so()
    {
        CudaContext context = Open();
        context.Dispose();
        context.Dispose();
        Assert.Throws<ObjectDisposedException>(() => context.Rent(1));
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
