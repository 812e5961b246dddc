using System.Globalization;
using System.Runtime.InteropServices;
using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>What the driver says of itself and its devices before one is opened.</summary>
internal static unsafe class CudaDevice
{
    /// <summary>The oldest compute capability, times ten, that the kernels are compiled for.</summary>
    public const int OldestCapability = 80;

    /// <summary>Where the driver's library is.</summary>
    public static string DriverPath => NativeLibraries.DriverSearch.Path;

    /// <summary>Makes sure that there is a driver that is new enough.</summary>
    /// <returns>Its version, such as 12060 for 12.6.</returns>
    /// <exception cref="BackendUnavailableException">There is none.</exception>
    public static int RequireDriver()
    {
        LibrarySearch search = NativeLibraries.DriverSearch;
        if (search.Handle == 0)
        {
            throw new BackendUnavailableException(
                "The CUDA driver was not found (lipschitz doctor says where it was looked for): install NVIDIA's, of CUDA 12.0 or later, or use the CPU.");
        }

        if (search.MissingSymbol(Driver.Symbols) is string symbol)
        {
            throw new BackendUnavailableException($"The CUDA driver {search.Path} is too old: it lacks {symbol}. Install one of CUDA 12.0 or later.");
        }

        int version = 0;
        int status = Driver.GetVersion(&version);
        if (status != Driver.Success)
        {
            throw CannotStart(status, "cuDriverGetVersion");
        }

        if (version < Driver.OldestVersion)
        {
            throw new BackendUnavailableException(
                $"The CUDA driver {search.Path} is of CUDA {VersionText(version)}; CUDA 12.0 or later is needed. Install a newer driver.");
        }

        status = Driver.Init(0);
        return status == Driver.Success ? version : throw CannotStart(status, "cuInit");
    }

    /// <summary>Makes sure that there is a device of that ordinal, and that it is new enough.</summary>
    /// <returns>The driver's name for it.</returns>
    /// <exception cref="BackendUnavailableException">There is none.</exception>
    public static int Require(int ordinal)
    {
        int count = Count();
        if (ordinal < 0 || ordinal >= count)
        {
            throw new BackendUnavailableException($"There is no CUDA device {ordinal}; this machine has {count}, numbered from 0.");
        }

        int device = Get(ordinal);
        string has = CapabilityText(Capability(device)), needed = CapabilityText(OldestCapability);
        return Capability(device) >= OldestCapability
            ? device
            : throw new BackendUnavailableException(
                $"CUDA device {ordinal}, {Name(device)}, has compute capability {has}; {needed} or later is needed.");
    }

    /// <summary>Name, compute capability and memory, in one line.</summary>
    /// <exception cref="BackendUnavailableException">It is too old.</exception>
    public static string Describe(int ordinal)
    {
        int device = Require(ordinal);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(device)}, compute capability {CapabilityText(Capability(device))}, {Memory(device) / (double)(1L << 30):0.0} GiB");
    }

    /// <summary>The number of devices.</summary>
    public static int Count()
    {
        int count = 0;
        CudaException.ThrowIfFailed(Driver.DeviceGetCount(&count), "cuDeviceGetCount");
        return count;
    }

    /// <summary>The driver's name for device <paramref name="ordinal"/>.</summary>
    public static int Get(int ordinal)
    {
        int device = 0;
        CudaException.ThrowIfFailed(Driver.DeviceGet(&device, ordinal), "cuDeviceGet");
        return device;
    }

    /// <summary>Such as <c>NVIDIA A100-SXM4-40GB</c>.</summary>
    public static string Name(int device)
    {
        byte* name = stackalloc byte[256];
        CudaException.ThrowIfFailed(Driver.DeviceGetName(name, 256, device), "cuDeviceGetName");
        return Marshal.PtrToStringUTF8((nint)name)!;
    }

    /// <summary>One of the driver's numbers about a device.</summary>
    public static int Attribute(int device, int attribute)
    {
        int value = 0;
        CudaException.ThrowIfFailed(Driver.DeviceGetAttribute(&value, attribute, device), "cuDeviceGetAttribute");
        return value;
    }

    /// <summary>Ten times the compute capability.</summary>
    public static int Capability(int device) =>
        (10 * Attribute(device, Driver.ComputeCapabilityMajor)) + Attribute(device, Driver.ComputeCapabilityMinor);

    /// <summary>Bytes of its memory.</summary>
    public static long Memory(int device)
    {
        nuint bytes = 0;
        CudaException.ThrowIfFailed(Driver.DeviceTotalMem(&bytes, device), "cuDeviceTotalMem");
        return (long)bytes;
    }

    /// <summary>12060 as 12.6.</summary>
    public static string VersionText(int version) => $"{version / 1000}.{version % 1000 / 10}";

    /// <summary>86 as 8.6.</summary>
    public static string CapabilityText(int capability) => $"{capability / 10}.{capability % 10}";

    private static BackendUnavailableException CannotStart(int status, string call)
    {
        CudaException cause = CudaException.OfDriver(status, call);
        return status == Driver.NoDevice
            ? new BackendUnavailableException($"The CUDA driver {DriverPath} is there, but it finds no NVIDIA GPU.", cause)
            : new BackendUnavailableException($"The CUDA driver {DriverPath} does not start. {cause.Message}", cause);
    }
}
