using System.Runtime.CompilerServices;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests.Runtime;

public sealed class CudaRecordingTests : DeviceTest
{
    [Fact]
    public void Work_is_done_once_a_run_first_as_it_is_and_then_as_a_graph()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1, 2), y = Filled(context, 0, 0);
        int calls = 0;
        using var recording = new CudaRecording(context, () =>
        {
            calls++;
            Add(context, View(x, 1, 2), View(y, 1, 2));
        });
        for (int i = 1; i <= 5; i++)
        {
            recording.Run();
            Assert.Equal([i, 2 * i], Read(context, View(y, 1, 2)));
            Assert.Equal(i > 1, recording.IsGraph);
            Assert.Null(recording.Refusal);
        }

        Assert.Equal(2, calls);
        Assert.Equal(4, Control.Calls("cuGraphLaunch"));
    }

    [Fact]
    public void Temporaries_of_a_graph_go_to_nobody_else()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1), y = Filled(context, 0);
        using var recording = new CudaRecording(context, () => AddTwice(context, View(x, 1, 1), View(y, 1, 1)));
        recording.Run();
        recording.Run();
        long held = context.Memory.Held;
        Scratch[] others = [.. Enumerable.Range(0, 10).Select(_ => context.Rent(4))];
        Assert.True(context.Memory.Held >= held + (8 * 512)); // two of the ten at most were waiting
        foreach (Scratch other in others)
        {
            context.UploadConstants([1000f], other.Address);
        }

        recording.Run();
        Assert.Equal([6], Read(context, View(y, 1, 1)));
        foreach (Scratch other in others)
        {
            Assert.Equal([1000], Read(context, new DeviceView(other.Address, 1, 1, 1)));
            other.Dispose();
        }
    }

    [Fact]
    public void Buffers_that_a_graph_uses_go_to_nobody_else()
    {
        using CudaContext context = Open();
        CudaBuffer y = Filled(context, 0);
        CudaBuffer?[] x = [Filled(context, 1)];
        using var recording = new CudaRecording(context, () => Add(context, View(x[0]!, 1, 1), View(y, 1, 1)));
        recording.Run();
        recording.Run();
        nint address = Forget(x);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        CudaBuffer[] others = [.. Enumerable.Range(0, 5).Select(_ => Filled(context, 1000))];
        Assert.DoesNotContain(address, others.Select(other => other.Address));
        recording.Run();
        Assert.Equal([3], Read(context, View(y, 1, 1)));
        GC.KeepAlive(others);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static nint Forget(CudaBuffer?[] buffers)
        {
            nint address = buffers[0]!.Address;
            buffers[0] = null;
            return address;
        }
    }

    [Fact]
    public void Work_that_reads_or_sends_numbers_is_done_each_time_and_says_why()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1), y = Filled(context, 0);
        int sent = 0;
        using var reads = new CudaRecording(context, () =>
        {
            Add(context, View(x, 1, 1), View(y, 1, 1));
            context.Download(View(y, 1, 1), new float[1]);
        });
        using var sends = new CudaRecording(context, () => context.Upload([++sent], View(x, 1, 1)));
        using var waits = new CudaRecording(context, context.Synchronize);
        for (int i = 1; i <= 3; i++)
        {
            reads.Run();
            waits.Run();
            Assert.Equal([i], Read(context, View(y, 1, 1)));
        }

        for (int i = 0; i < 3; i++)
        {
            sends.Run();
            Assert.Equal([sent], Read(context, View(x, 1, 1)));
        }

        Assert.Contains("downloads", reads.Refusal, StringComparison.Ordinal);
        Assert.Contains("uploads", sends.Refusal, StringComparison.Ordinal);
        Assert.Contains("waits", waits.Refusal, StringComparison.Ordinal);
        Assert.False(reads.IsGraph || sends.IsGraph || waits.IsGraph);
    }

    [Fact]
    public void Constants_are_repeated()
    {
        using CudaContext context = Open();
        CudaBuffer y = Filled(context, 0);
        using var recording = new CudaRecording(context, () =>
        {
            using Scratch table = context.Rent(4);
            context.UploadConstants([3f], table.Address);
            Add(context, new DeviceView(table.Address, 1, 1, 1), View(y, 1, 1));
        });
        for (int i = 1; i <= 4; i++)
        {
            recording.Run();
            Assert.Equal([3 * i], Read(context, View(y, 1, 1)));
        }

        Assert.True(recording.IsGraph);
    }

    [Theory]
    [InlineData("cuStreamBeginCapture")]
    [InlineData("cuStreamEndCapture")]
    [InlineData("cuGraphInstantiateWithFlags")]
    [InlineData("cuLaunchKernel")]
    public void Work_that_cannot_be_captured_is_done_each_time_and_says_why(string call)
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1), y = Filled(context, 0);
        using var recording = new CudaRecording(context, () => AddTwice(context, View(x, 1, 1), View(y, 1, 1)));
        recording.Run();
        Control.Fail(call, 1, 900);
        for (int i = 2; i <= 4; i++)
        {
            recording.Run();
            Assert.Equal([2 * i], Read(context, View(y, 1, 1)));
        }

        Assert.False(recording.IsGraph);
        Assert.Contains("900", recording.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_of_the_action_itself_is_thrown()
    {
        using CudaContext context = Open();
        bool isBroken = false;
        using var recording = new CudaRecording(context, () =>
        {
            if (isBroken)
            {
                throw new InvalidOperationException("broken");
            }
        });
        recording.Run();
        isBroken = true;
        Assert.Equal("broken", Assert.Throws<InvalidOperationException>(recording.Run).Message);
        context.Synchronize(); // the stream is itself again
    }

    [Fact]
    public void Disposing_and_collecting_give_all_back()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1), y = Filled(context, 0);
        long before = context.Memory.Rented;
        Record().Dispose();
        Assert.Equal(before, context.Memory.Rented);
        Record();
        Assert.NotEqual(before, context.Memory.Rented);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        new CudaRecording(context, () => { }).Dispose(); // the next recording clears up behind those that were forgotten
        Assert.Equal(before, context.Memory.Rented);
        Assert.DoesNotContain("graph", Control.Leaks, StringComparison.Ordinal);

        [MethodImpl(MethodImplOptions.NoInlining)]
        CudaRecording Record()
        {
            var recording = new CudaRecording(context, () => AddTwice(context, View(x, 1, 1), View(y, 1, 1)));
            recording.Run();
            recording.Run();
            Assert.True(recording.IsGraph);
            return recording;
        }
    }

    [Fact]
    public void Work_of_other_threads_stays_out_of_a_graph()
    {
        using CudaContext context = Open();
        CudaBuffer x = Filled(context, 1), y = Filled(context, 0), z = Filled(context, 0);
        using var started = new ManualResetEventSlim();
        Thread? other = null;
        using var recording = new CudaRecording(context, () =>
        {
            if (started.IsSet)
            {
                other = new Thread(() => Add(context, View(x, 1, 1), View(z, 1, 1)));
                other.Start();
                Thread.Sleep(50); // long enough to get at the queue, if it could
            }

            started.Set();
            Add(context, View(x, 1, 1), View(y, 1, 1));
        });
        for (int i = 0; i < 4; i++)
        {
            recording.Run();
        }

        other!.Join();
        Assert.Equal([4], Read(context, View(y, 1, 1)));
        Assert.Equal([1], Read(context, View(z, 1, 1)));
    }

    // y += 2 x by way of two temporaries.
    private static void AddTwice(CudaContext context, DeviceView x, DeviceView y)
    {
        using Scratch first = context.Rent(4);
        using Scratch second = context.Rent(4);
        var (a, b) = (new DeviceView(first.Address, 1, 1, 1), new DeviceView(second.Address, 1, 1, 1));
        context.Clear(a);
        Add(context, x, a);
        context.Copy(a, b);
        Add(context, a, b);
        Add(context, b, y);
    }
}
