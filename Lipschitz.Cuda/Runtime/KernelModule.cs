using System.Text;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>The kernels of the embedded PTX, compiled by the driver for its device when the module is loaded.</summary>
internal sealed unsafe class KernelModule : IDisposable
{
    private const string Resource = "kernels.ptx";
    private const int LogBytes = 16 * 1024;
    private readonly Dictionary<string, Kernel> _kernels = [];
    private nint _module;

    /// <summary>Loads a PTX text into the current context.</summary>
    public KernelModule(string ptx)
    {
        Dictionary<string, int[]> sizes = PtxKernels.Parse(ptx);
        if (sizes.Count == 0)
        {
            return; // the driver refuses an empty text
        }

        Load(ptx);
        try
        {
            foreach ((string name, int[] bytes) in sizes)
            {
                _kernels.Add(name, new Kernel(name, Function(name), bytes));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The kernel of that name.</summary>
    public Kernel this[string name] => _kernels.TryGetValue(name, out Kernel? kernel)
        ? kernel
        : throw new ArgumentException($"There is no kernel {name} in {Resource}; run the script that compiles kernels.cu, and build again.");

    /// <summary>The PTX that this assembly carries; empty where it was built without.</summary>
    public static string EmbeddedPtx()
    {
        using Stream? stream = typeof(KernelModule).Assembly.GetManifestResourceStream(Resource);
        if (stream is null)
        {
            return "";
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_module != 0)
        {
            CudaException.ThrowIfFailed(Driver.ModuleUnload(_module), "cuModuleUnload");
            _module = 0;
        }
    }

    private void Load(string ptx)
    {
        byte[] image = Encoding.UTF8.GetBytes(ptx + '\0');
        byte[] log = new byte[LogBytes];
        int* options = stackalloc int[] { Driver.JitErrorLogBuffer, Driver.JitErrorLogBufferBytes };
        void** values = stackalloc void*[2];
        fixed (byte* text = image, errors = log)
        fixed (nint* module = &_module)
        {
            values[0] = errors;
            values[1] = (void*)(nint)LogBytes; // the driver takes this number in place of a pointer
            int status = Driver.ModuleLoadData(module, text, 2, options, values);
            if (status != Driver.Success)
            {
                string words = Encoding.UTF8.GetString(log.AsSpan().TrimEnd((byte)0)).Trim();
                throw CudaException.OfDriver(status, "cuModuleLoadDataEx", words.Length == 0 ? Resource : $"{Resource}: {words}");
            }
        }
    }

    private nint Function(string name)
    {
        nint function = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            int status = Driver.ModuleGetFunction(&function, _module, text);
            return status == Driver.Success ? function : throw CudaException.OfDriver(status, "cuModuleGetFunction", name);
        }
    }
}

/// <summary>A kernel and the sizes of its parameters in bytes.</summary>
internal sealed record Kernel(string Name, nint Function, int[] ParameterBytes)
{
    /// <summary>Compares the arguments of a launch with the parameters.</summary>
    /// <exception cref="ArgumentException">They differ in number or size.</exception>
    public void Check(ReadOnlySpan<Argument> arguments)
    {
        if (arguments.Length != ParameterBytes.Length)
        {
            throw new ArgumentException($"{Name} takes {ParameterBytes.Length} arguments but was given {arguments.Length}.");
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].Size != ParameterBytes[i])
            {
                throw new ArgumentException($"Argument {i} of {Name} has {ParameterBytes[i]} bytes but was given {arguments[i].Size}.");
            }
        }
    }
}
