using Lipschitz.Cuda.Runtime;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)] // the doubles have one state

namespace Lipschitz.Cuda.Tests.Runtime;

/// <summary>A test on the doubles: starts from their first state; fails where a rule of CUDA was broken or something was not given back.</summary>
public abstract class DeviceTest : IDisposable
{
    /// <summary>A kernel as its PTX declares it; the double runs the one of that name in kernels.cu: add_parts(parts, count, beta, c).</summary>
    protected const string AddParts = """
        .version 7.5
        .target sm_80
        .address_size 64
        .visible .entry add_parts(
            .param .align 8 .b8 add_parts_param_0[24],
            .param .u32 add_parts_param_1,
            .param .f32 add_parts_param_2,
            .param .align 8 .b8 add_parts_param_3[24]
        )
        {
            ret;
        }
        """;

    protected DeviceTest()
    {
        Doubles.RequireFakes();
        Control.Reset();
    }

    public void Dispose()
    {
        Assert.Equal("", Control.Complaints);
        Assert.Equal("", Control.Leaks);
        GC.SuppressFinalize(this);
    }

    private protected static CudaContext Open() => CudaContext.Open(0, AddParts);

    private protected static DeviceView View(CudaBuffer buffer, int rows, int columns, int stride = 0, int offset = 0) =>
        new(buffer.Address + (offset * sizeof(float)), rows, columns, stride == 0 ? columns : stride);

    /// <summary>y += x, elementwise.</summary>
    private protected static void Add(CudaContext context, DeviceView x, DeviceView y) =>
        context.Launch("add_parts", Grid.Elements((long)y.Rows * y.Columns), x, 1, 1f, y);

    private protected static float[] Read(CudaContext context, DeviceView view)
    {
        float[] numbers = new float[view.Rows * view.Columns];
        context.Download(view, numbers);
        return numbers;
    }

    private protected static CudaBuffer Filled(CudaContext context, params float[] numbers)
    {
        var buffer = new CudaBuffer(context, numbers.Length);
        context.Upload(numbers, View(buffer, 1, numbers.Length));
        return buffer;
    }

    private protected static void AssertThrows<T>(string part, Action action)
        where T : Exception => Assert.Contains(part, Assert.Throws<T>(action).Message, StringComparison.Ordinal);

    private protected static float[] Draw(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
