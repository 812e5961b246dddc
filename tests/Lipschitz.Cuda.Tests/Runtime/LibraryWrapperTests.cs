using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Tests.Runtime;

/// <summary>cuBLAS and cuDNN as the back end uses them.</summary>
public sealed class LibraryWrapperTests : DeviceTest
{
    [Fact]
    public void Products_of_all_transposes_and_strides()
    {
        using CudaContext context = Open();
        using var products = new CublasProducts(context, "cuBLAS", allowTf32: false);
        foreach ((int m, int n, int k) in new[] { (3, 5, 7), (1, 1, 1), (1, 6, 2), (6, 1, 3), (4, 4, 1) })
        {
            foreach (bool transposeA in new[] { false, true })
            {
                foreach (bool transposeB in new[] { false, true })
                {
                    foreach (float beta in new[] { 0f, 1f, -0.5f })
                    {
                        CheckProduct(context, products, m, n, k, transposeA, transposeB, beta);
                    }
                }
            }
        }
    }

    [Fact]
    public void Empty_products_clear_or_keep()
    {
        using CudaContext context = Open();
        using var products = new CublasProducts(context, "cuBLAS", allowTf32: false);
        CudaBuffer c = Filled(context, 1, 2, 3, 4, 5, 6);
        DeviceView view = View(c, 2, 2, 3);
        products.Multiply(View(c, 2, 0), false, View(c, 0, 2), false, 1, view);
        Assert.Equal([1, 2, 4, 5], Read(context, view));
        products.Multiply(View(c, 2, 0), false, View(c, 0, 2), false, 0, view);
        Assert.Equal([0, 0, 3, 0, 0, 6], Read(context, View(c, 1, 6)));
        products.Multiply(View(c, 0, 2), false, View(c, 2, 2), false, 0, View(c, 0, 2));
    }

    [Fact]
    public void A_refused_product_names_its_shapes()
    {
        using CudaContext context = Open();
        using var products = new CublasProducts(context, "cuBLAS", allowTf32: false);
        CudaBuffer x = Filled(context, 1, 2);
        Control.Fail("cublasSgemm", 1, 13);
        CudaException failure = Assert.Throws<CudaException>(() => products.Multiply(View(x, 1, 2), false, View(x, 1, 2), true, 0, View(x, 1, 1)));
        Assert.Contains("[1, 2; stride 2] times [1, 2; stride 2] transposed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("CUBLAS_STATUS_EXECUTION_FAILED (13)", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, false)] // cuDNN takes gaps
    [InlineData(0, false)] // it refuses them
    [InlineData(1, true)] // operands at odd addresses
    public void Convolutions_and_their_adjoints(int takesGaps, bool isOdd)
    {
        Control.Set("strided", takesGaps);
        using CudaContext context = Open();
        using var convolutions = new CudnnConvolutions(context, "cuDNN", allowTf32: false);
        foreach (float beta in new[] { 0f, 1f })
        {
            foreach ((ConvolutionShape shape, int pictures, int inputs, int outputs) in new[]
            {
                (new ConvolutionShape(4, 3, 3), 2, 3, 5), (new ConvolutionShape(1, 1, 1), 3, 4, 2), (new ConvolutionShape(5, 5, 5), 1, 1, 2),
            })
            {
                CheckConvolution(context, convolutions, shape, pictures, inputs, outputs, beta, isOdd);
            }
        }
    }

    [Fact]
    public void Shapes_that_cuDNN_has_nothing_for_are_answered_with_false()
    {
        using CudaContext context = Open();
        using var convolutions = new CudnnConvolutions(context, "cuDNN", allowTf32: false);
        CudaBuffer x = Filled(context, new float[64]);
        var shape = new ConvolutionShape(2, 2, 3);
        Assert.False(convolutions.TryForward(shape, View(x, 0, 1), x.Address, 0, View(x, 0, 1)));
        Control.Fail("cudnnGetConvolutionForwardAlgorithm_v7", 1, 3000);
        Assert.False(convolutions.TryForward(shape, View(x, 4, 1), x.Address, 0, View(x, 4, 1, 0, 32)));
        Control.Fail("cudnnConvolutionBackwardFilter", 1, 3004); // found out only when it is run
        Assert.False(convolutions.TryBackwardFilter(shape, View(x, 4, 1), View(x, 4, 1, 0, 16), 0, x.Address + 128));
        Control.Fail("cudnnConvolutionBackwardData", 1, 4000);
        AssertThrows<CudaException>(
            "1 pictures of 2 x 2, kernel 3, 1 channels (stride 1) to 1 (stride 1)",
            () => convolutions.TryBackwardData(shape, View(x, 4, 1), x.Address + 64, 0, View(x, 4, 1, 0, 32)));
    }

    [Fact]
    public void Products_and_convolutions_can_be_graphs()
    {
        using CudaContext context = Open();
        using var products = new CublasProducts(context, "cuBLAS", allowTf32: true);
        using var convolutions = new CudnnConvolutions(context, "cuDNN", allowTf32: true);
        CudaBuffer x = Filled(context, 1, 2, 3, 4), w = Filled(context, 2), y = new(context, 4);
        using var recording = new CudaRecording(context, () =>
        {
            products.Multiply(View(x, 2, 2), false, View(x, 2, 2), false, 0, View(y, 2, 2));
            Assert.True(convolutions.TryForward(new ConvolutionShape(2, 2, 1), View(x, 4, 1), w.Address, 1, View(y, 4, 1)));
        });
        for (int i = 0; i < 4; i++)
        {
            recording.Run();
            Assert.Equal([9, 14, 21, 30], Read(context, View(y, 1, 4)));
        }

        Assert.Null(recording.Refusal);
        Assert.True(recording.IsGraph);
    }

    private static void CheckProduct(CudaContext context, CublasProducts products, int m, int n, int k, bool transposeA, bool transposeB, float beta)
    {
        (int aRows, int aColumns, int bRows, int bColumns) = (transposeA ? k : m, transposeA ? m : k, transposeB ? n : k, transposeB ? k : n);
        float[] a = Draw(aRows * aColumns, 1), b = Draw(bRows * bColumns, 2), c = Draw(m * n, 3);
        float[] wanted = [.. c];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int l = 0; l < k; l++)
                {
                    sum += a[transposeA ? (l * m) + i : (i * k) + l] * b[transposeB ? (j * k) + l : (l * n) + j];
                }

                wanted[(i * n) + j] = (float)(sum + (beta * c[(i * n) + j]));
            }
        }

        (CudaBuffer Buffer, DeviceView View) left = Strided(context, a, aRows, aColumns, 0), right = Strided(context, b, bRows, bColumns, 3);
        (CudaBuffer Buffer, DeviceView View) result = Strided(context, c, m, n, 1);
        products.Multiply(left.View, transposeA, right.View, transposeB, beta, result.View);
        AssertClose(wanted, Read(context, result.View));
        GC.KeepAlive((left, right, result));
    }

    private static void CheckConvolution(
        CudaContext context, CudnnConvolutions convolutions, ConvolutionShape shape, int pictures, int inputs, int outputs, float beta, bool isOdd)
    {
        int rows = pictures * shape.Pixels;
        float[] x = Draw(rows * inputs, 1), y = Draw(rows * outputs, 2), w = Draw(outputs * shape.Taps * inputs, 3);
        using var reference = new ReferenceBackend<double>();
        Tensor xr = Put(reference, x, rows, inputs), yr = Put(reference, y, rows, outputs), wr = Put(reference, w, outputs * shape.Taps, inputs);
        PackedConvolution forward = reference.CreatePackedConvolution(shape, inputs, outputs);
        PackedConvolution adjoint = reference.CreatePackedConvolution(shape, outputs, inputs);
        reference.PackConvolution(wr, false, forward);
        reference.PackConvolution(wr, true, adjoint);
        int gap = isOdd ? 1 : 4;
        (CudaBuffer Buffer, DeviceView View) xs = Strided(context, x, rows, inputs, gap), ys = Strided(context, y, rows, outputs, gap);
        var filters = new CudaBuffer(context, w.Length + 1);
        DeviceView filter = View(filters, 1, w.Length, 0, isOdd ? 1 : 0);

        context.Upload(w, filter);
        reference.Convolve(xr, forward, beta, yr);
        Assert.True(convolutions.TryForward(shape, xs.View, filter.Data, beta, ys.View));
        AssertClose(Get(reference, yr), Read(context, ys.View));

        context.Upload(y, ys.View);
        reference.Upload([.. y.Select(number => (double)number)], yr);
        reference.Convolve(yr, adjoint, beta, xr);
        Assert.True(convolutions.TryBackwardData(shape, ys.View, filter.Data, beta, xs.View));
        AssertClose(Get(reference, xr), Read(context, xs.View));

        context.Upload(x, xs.View);
        reference.Upload([.. x.Select(number => (double)number)], xr);
        if (beta == 0)
        {
            reference.Fill(wr, 0);
        }

        reference.ConvolutionWeightGradient(shape, xr, yr, wr);
        Assert.True(convolutions.TryBackwardFilter(shape, xs.View, ys.View, beta, filter.Data));
        AssertClose(Get(reference, wr), Read(context, filter));
        GC.KeepAlive((xs, ys, filters));
    }

    private static Tensor Put(ReferenceBackend<double> reference, float[] numbers, int rows, int columns)
    {
        Tensor tensor = ((IBackend)reference).Allocate(rows, columns);
        reference.Upload([.. numbers.Select(number => (double)number)], tensor);
        return tensor;
    }

    private static float[] Get(ReferenceBackend<double> reference, Tensor tensor)
    {
        double[] numbers = new double[tensor.Count];
        reference.Download(tensor, numbers);
        return [.. numbers.Select(number => (float)number)];
    }

    private static (CudaBuffer Buffer, DeviceView View) Strided(CudaContext context, float[] numbers, int rows, int columns, int gap)
    {
        var buffer = new CudaBuffer(context, (rows * (columns + gap)) + gap);
        DeviceView view = View(buffer, rows, columns, columns + gap, gap);
        context.Upload(numbers, view);
        return (buffer, view);
    }

    private static void AssertClose(float[] wanted, float[] got)
    {
        Assert.Equal(wanted.Length, got.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.InRange(got[i], wanted[i] - 1e-5f, wanted[i] + 1e-5f);
        }
    }
}
