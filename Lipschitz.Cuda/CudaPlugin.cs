using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda;

/// <summary>NVIDIA GPUs as a back end. Needs the driver alone; uses cuBLAS and cuDNN where they are.</summary>
public sealed class CudaPlugin : IBackendPlugin
{
    /// <inheritdoc/>
    public string Name => "cuda";

    /// <inheritdoc/>
    public IReadOnlyList<BackendFinding> Diagnose()
    {
        BackendFinding driver = Try(
            "driver", isNeeded: true, () => $"CUDA {CudaDevice.VersionText(CudaDevice.RequireDriver())}, {CudaDevice.DriverPath}");
        List<BackendFinding> findings = [driver];
        if (driver.IsFound)
        {
            AddDevices(findings);
            findings.Add(Of("cuBLAS", LibraryProbe.Cublas()));
            findings.Add(Of("cuDNN", LibraryProbe.Cudnn()));
        }

        return findings;
    }

    /// <inheritdoc/>
    public IBackend Open(BackendOptions options) => OpenBackend(options);

    internal static CudaBackend OpenBackend(BackendOptions options)
    {
        CudaContext context = CudaContext.Open(options.Device);
        IProducts? products = null;
        IConvolutions? convolutions = null;
        try
        {
            products = (IProducts?)OpenCublas(context, options.AllowTf32) ?? new OwnProducts(context);
            convolutions = OpenCudnn(context, options.AllowTf32);
            return new CudaBackend(context, products, convolutions);
        }
        catch
        {
            convolutions?.Dispose();
            products?.Dispose();
            context.Dispose();
            throw;
        }
    }

    private static void AddDevices(List<BackendFinding> findings)
    {
        int count = 0;
        BackendFinding number = Try("devices", isNeeded: true, () => $"{count = CudaDevice.Count()}");
        if (count == 0)
        {
            findings.Add(number);
        }

        for (int i = 0; i < count; i++)
        {
            int ordinal = i;
            findings.Add(Try($"device {i}", isNeeded: i == 0, () => CudaDevice.Describe(ordinal)));
        }
    }

    private static BackendFinding Of(string what, LibraryProbe probe) =>
        new(what, probe.IsUsable, IsNeeded: false, probe.IsUsable ? $"{probe.Name}, {probe.Detail}" : probe.Detail);

    private static BackendFinding Try(string what, bool isNeeded, Func<string> look)
    {
        try
        {
            return new BackendFinding(what, true, isNeeded, look());
        }
        catch (BackendException e)
        {
            return new BackendFinding(what, false, isNeeded, e.Message);
        }
    }

    // A library that is there but does not start, because the driver is too old for it for example, is as good as missing.
    private static CublasProducts? OpenCublas(CudaContext context, bool allowTf32)
    {
        LibraryProbe probe = LibraryProbe.Cublas();
        try
        {
            return probe.IsUsable ? new CublasProducts(context, probe.Name, allowTf32) : null;
        }
        catch (CudaException e) when (e.Call == "cublasCreate")
        {
            return null;
        }
    }

    private static CudnnConvolutions? OpenCudnn(CudaContext context, bool allowTf32)
    {
        LibraryProbe probe = LibraryProbe.Cudnn();
        try
        {
            return probe.IsUsable ? new CudnnConvolutions(context, probe.Name, allowTf32) : null;
        }
        catch (CudaException e) when (e.Call == "cudnnCreate")
        {
            return null;
        }
    }
}
