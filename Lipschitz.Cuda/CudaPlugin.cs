using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;
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
        BackendFinding driver = NativeLibraries.DriverSearch is { Handle: 0 } search
            ? new BackendFinding("driver", false, true, search.Report)
            : Try("driver", isNeeded: true, () => $"CUDA {CudaDevice.VersionText(CudaDevice.RequireDriver())}, {CudaDevice.DriverPath}");
        List<BackendFinding> findings = [driver];
        if (driver.IsFound)
        {
            AddDevices(findings);
        }
        else
        {
            findings.Add(new BackendFinding("devices", false, true, "only the driver knows them"));
        }

        if (findings.TrueForAll(finding => finding.IsFound || !finding.IsNeeded))
        {
            AddOpened(findings);
        }
        else
        {
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
            products = (IProducts?)OpenCublas(context, options.AllowTf32).Library ?? new OwnProducts(context);
            convolutions = OpenCudnn(context, options.AllowTf32).Library;
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

    // What opening the first device shows: whether the driver takes the kernels, and what works there.
    private static void AddOpened(List<BackendFinding> findings)
    {
        try
        {
            using CudaContext context = CudaContext.Open(0);
            findings.Add(new BackendFinding("kernels", true, true, "compiled by the driver"));
            (CublasProducts? products, LibraryProbe cublas) = OpenCublas(context, allowTf32: false);
            products?.Dispose();
            findings.Add(Of("cuBLAS", cublas));
            (CudnnConvolutions? convolutions, LibraryProbe cudnn) = OpenCudnn(context, allowTf32: false);
            convolutions?.Dispose();
            findings.Add(Of("cuDNN", cudnn));
        }
        catch (BackendException e)
        {
            findings.Add(new BackendFinding("device 0 in use", false, true, e.Message));
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
    private static (CublasProducts? Library, LibraryProbe Probe) OpenCublas(CudaContext context, bool allowTf32)
    {
        LibraryProbe probe = LibraryProbe.Cublas();
        try
        {
            return (probe.IsUsable ? new CublasProducts(context, probe.Name, allowTf32) : null, probe);
        }
        catch (CudaException e) when (e.Call == "cublasCreate")
        {
            return (null, probe.Refused(e.Message));
        }
    }

    // So is one that starts but does not do convolutions: an incomplete or mixed installation shows only then.
    private static (CudnnConvolutions? Library, LibraryProbe Probe) OpenCudnn(CudaContext context, bool allowTf32)
    {
        LibraryProbe probe = LibraryProbe.Cudnn();
        if (!probe.IsUsable)
        {
            return (null, probe);
        }

        CudnnConvolutions? opened = null;
        try
        {
            opened = new CudnnConvolutions(context, probe.Name, allowTf32);
            if (ConvolutionTrial.Failure(context, opened) is not string failure)
            {
                return (opened, probe);
            }

            opened.Dispose();
            return (null, probe.Refused(failure));
        }
        catch (CudaException e)
        {
            opened?.Dispose();
            if (!e.IsOfCudnn)
            {
                throw;
            }

            return (null, probe.Refused(e.Message));
        }
    }
}
