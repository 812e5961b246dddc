using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// Convolutions by cuDNN 9, in true float32 unless TF32 is allowed. Operands that it does not take as they are, because of their strides or
/// addresses, are copied to memory without gaps; shapes that it does not take even so are answered with false.
/// </summary>
internal sealed unsafe class CudnnConvolutions : IConvolutions
{
    private const int AddressAlignment = 16; // its vectorised kernels load four numbers at once, and it is not told addresses when it chooses

    private readonly CudaContext _context;
    private readonly bool _allowTf32;
    private readonly Dictionary<ConvolutionKey, ConvolutionPlan?> _plans = []; // null: refused
    private nint _handle;

    /// <summary>Opens cuDNN on the context's stream.</summary>
    /// <param name="context">The device.</param>
    /// <param name="name">The library's name and version.</param>
    /// <param name="allowTf32">Whether factors may be rounded to 10 bits of mantissa.</param>
    public CudnnConvolutions(CudaContext context, string name, bool allowTf32)
    {
        (_context, Name, _allowTf32) = (context, name, allowTf32);
        using Lock.Scope scope = context.Enter();
        nint handle = 0;
        Check(Cudnn.Create(&handle), "cudnnCreate");
        _handle = handle;
        try
        {
            Check(Cudnn.SetStream(handle, context.Stream), "cudnnSetStream");
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
    public bool TryForward(ConvolutionShape shape, DeviceView x, nint filter, float beta, DeviceView y) =>
        TryRun(ConvolutionKind.Forward, shape, x, filter, y, beta);

    /// <inheritdoc/>
    public bool TryBackwardData(ConvolutionShape shape, DeviceView y, nint filter, float beta, DeviceView x) =>
        TryRun(ConvolutionKind.BackwardData, shape, x, filter, y, beta);

    /// <inheritdoc/>
    public bool TryBackwardFilter(ConvolutionShape shape, DeviceView x, DeviceView yGradient, float beta, nint filterGradient) =>
        TryRun(ConvolutionKind.BackwardFilter, shape, x, filterGradient, yGradient, beta);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle != 0)
        {
            using Lock.Scope scope = _context.Enter();
            foreach (ConvolutionPlan? plan in _plans.Values)
            {
                plan?.Dispose();
            }

            _plans.Clear();
            nint handle = _handle;
            _handle = 0;
            Check(Cudnn.Destroy(handle), "cudnnDestroy");
        }
    }

    private static void Check(int status, string call)
    {
        if (status != Cudnn.Success)
        {
            throw CudaException.OfCudnn(status, call);
        }
    }

    private static bool IsAligned(DeviceView view) => view.Data % AddressAlignment == 0;

    private static bool IsGapless(DeviceView view) => view.Rows <= 1 || view.Stride == view.Columns;

    private static ConvolutionKey Key(ConvolutionKind kind, ConvolutionShape shape, DeviceView x, DeviceView y) => new(
        kind, shape, x.Rows / shape.Pixels, x.Columns, IsGapless(x) ? x.Columns : x.Stride, y.Columns, IsGapless(y) ? y.Columns : y.Stride);

    private bool TryRun(ConvolutionKind kind, ConvolutionShape shape, DeviceView x, nint filter, DeviceView y, float beta)
    {
        if (x.Rows == 0 || x.Columns == 0 || y.Columns == 0)
        {
            return false; // cuDNN has no empty shapes
        }

        using Lock.Scope scope = _context.Enter();
        var w = new DeviceView(filter, 1, checked(y.Columns * shape.Taps * x.Columns), 0);
        return (IsAligned(x) && IsAligned(w) && IsAligned(y) && TryQueue(Key(kind, shape, x, y), x, w, y, beta))
            || TryRunOnCopies(kind, shape, x, w, y, beta);
    }

    private bool TryRunOnCopies(ConvolutionKind kind, ConvolutionShape shape, DeviceView x, DeviceView w, DeviceView y, float beta)
    {
        ConvolutionKey key = Key(kind, shape, x, y) with { InputStride = x.Columns, OutputStride = y.Columns };
        if (Plan(key) is null)
        {
            return false;
        }

        using Operand xCopy = Gather(x, isWritten: kind == ConvolutionKind.BackwardData, beta);
        using Operand wCopy = Gather(w, isWritten: kind == ConvolutionKind.BackwardFilter, beta);
        using Operand yCopy = Gather(y, isWritten: kind == ConvolutionKind.Forward, beta);
        if (!TryQueue(key, xCopy.View, wCopy.View, yCopy.View, beta))
        {
            return false;
        }

        (DeviceView target, Operand result) = kind switch
        {
            ConvolutionKind.Forward => (y, yCopy),
            ConvolutionKind.BackwardData => (x, xCopy),
            _ => (w, wCopy),
        };
        if (result.View.Data != target.Data)
        {
            _context.Copy(result.View, target);
        }

        return true;
    }

    // The operand itself where cuDNN can take it, else a copy without gaps; of a result only where the old value counts.
    private Operand Gather(DeviceView view, bool isWritten, float beta)
    {
        if (IsAligned(view) && IsGapless(view))
        {
            return new Operand(view, default);
        }

        Scratch memory = _context.Rent((long)view.Rows * view.Columns * sizeof(float));
        var copy = new DeviceView(memory.Address, view.Rows, view.Columns, view.Columns);
        if (!isWritten || beta != 0)
        {
            _context.Copy(view, copy);
        }

        return new Operand(copy, memory);
    }

    private bool TryQueue(ConvolutionKey key, DeviceView x, DeviceView w, DeviceView y, float beta)
    {
        if (Plan(key) is not ConvolutionPlan plan)
        {
            return false;
        }

        _context.Pin(x.Data);
        _context.Pin(w.Data);
        _context.Pin(y.Data);
        using Scratch workspace = _context.Rent((long)plan.WorkspaceBytes);
        int status = plan.Queue(x.Data, w.Data, y.Data, beta, workspace.Address);
        if (status == Cudnn.Success)
        {
            return true;
        }

        if (!Cudnn.IsRefusal(status))
        {
            throw CudaException.OfCudnn(status, $"cudnnConvolution{key.Kind}", key.ToString());
        }

        _plans[key] = null;
        plan.Dispose();
        return false;
    }

    private ConvolutionPlan? Plan(ConvolutionKey key)
    {
        if (!_plans.TryGetValue(key, out ConvolutionPlan? plan))
        {
            plan = ConvolutionPlan.TryCreate(_handle, key, _allowTf32);
            _plans.Add(key, plan);
        }

        return plan;
    }

    /// <summary>An operand as cuDNN gets it, and the memory it was copied to, if it was.</summary>
    private readonly struct Operand(DeviceView view, Scratch memory) : IDisposable
    {
        public DeviceView View { get; } = view;

        public void Dispose() => memory.Dispose();
    }
}
