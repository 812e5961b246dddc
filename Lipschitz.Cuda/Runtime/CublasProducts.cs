using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>Matrix products by cuBLAS, in true float32 unless TF32 is allowed; deterministic on one device and version.</summary>
internal sealed unsafe class CublasProducts : IProducts
{
    // NVIDIA's advice for its newest devices, which want the most. With memory of ours cuBLAS allocates none, so that graphs can capture it.
    private const int WorkspaceBytes = 32 << 20;

    private readonly CudaContext _context;
    private readonly Scratch _workspace;
    private nint _handle;

    /// <summary>Opens cuBLAS on the context's stream.</summary>
    /// <param name="context">The device.</param>
    /// <param name="name">The library's name and version.</param>
    /// <param name="allowTf32">Whether factors may be rounded to 10 bits of mantissa.</param>
    public CublasProducts(CudaContext context, string name, bool allowTf32)
    {
        _context = context;
        Name = name;
        using Lock.Scope scope = context.Enter();
        nint handle = 0;
        Check(Cublas.Create(&handle), "cublasCreate");
        _handle = handle;
        try
        {
            _workspace = context.Rent(WorkspaceBytes);
            Check(Cublas.SetStream(handle, context.Stream), "cublasSetStream"); // first: it takes a workspace away
            Check(Cublas.SetWorkspace(handle, _workspace.Address, WorkspaceBytes), "cublasSetWorkspace");
            Check(Cublas.SetMathMode(handle, allowTf32 ? Cublas.Tf32Math : Cublas.DefaultMath), "cublasSetMathMode");
            Check(Cublas.SetAtomicsMode(handle, Cublas.AtomicsNotAllowed), "cublasSetAtomicsMode");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public void Multiply(DeviceView a, bool transposeA, DeviceView b, bool transposeB, float beta, DeviceView c)
    {
        int inner = transposeA ? a.Rows : a.Columns;
        if (c.Rows == 0 || c.Columns == 0 || (inner == 0 && beta == 1))
        {
            return;
        }

        using Lock.Scope scope = _context.Enter();
        if (inner == 0 && beta == 0)
        {
            _context.Clear(c);
            return;
        }

        _context.Pin(a.Data);
        _context.Pin(b.Data);
        _context.Pin(c.Data);

        // A row-major matrix is, column by column, its transpose: c' <- op(b)' op(a)'.
        float one = 1;
        int status = Cublas.Sgemm(
            _handle, Operation(transposeB), Operation(transposeA), c.Columns, c.Rows, inner, &one, b.Data, Leading(b), a.Data, Leading(a),
            &beta, c.Data, Leading(c));
        if (status != Cublas.Success)
        {
            throw CudaException.OfCublas(status, "cublasSgemm", $"{Text(a, transposeA)} times {Text(b, transposeB)} into {Text(c, false)}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle != 0)
        {
            using Lock.Scope scope = _context.Enter();
            nint handle = _handle;
            _handle = 0;
            _workspace.Dispose();
            Check(Cublas.Destroy(handle), "cublasDestroy");
        }
    }

    private static void Check(int status, string call)
    {
        if (status != Cublas.Success)
        {
            throw CudaException.OfCublas(status, call);
        }
    }

    private static int Operation(bool transpose) => transpose ? Cublas.Transpose : Cublas.None;

    // cuBLAS wants at least the length of a row, also where there is but one row, or none.
    private static int Leading(DeviceView view) => Math.Max(1, Math.Max(view.Stride, view.Columns));

    private static string Text(DeviceView view, bool transpose) =>
        $"[{view.Rows}, {view.Columns}; stride {view.Stride}]{(transpose ? " transposed" : "")}";
}
