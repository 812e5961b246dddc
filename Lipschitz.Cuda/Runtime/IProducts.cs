namespace Lipschitz.Cuda.Runtime;

/// <summary>Matrix products: cuBLAS, or kernels of our own where it is missing.</summary>
internal interface IProducts : IDisposable
{
    /// <summary>Such as <c>cuBLAS 12.6</c>.</summary>
    string Name { get; }

    /// <summary>Queues c &lt;- op(a) op(b) + beta c, all row-major; with beta = 0 the old c is not read.</summary>
    void Multiply(DeviceView a, bool transposeA, DeviceView b, bool transposeB, float beta, DeviceView c);
}
