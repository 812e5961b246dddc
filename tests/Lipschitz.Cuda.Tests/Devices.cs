using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests;

/// <summary>Opens the first device with the libraries that a test wants.</summary>
internal static class Devices
{
    public static IProducts Cublas(CudaContext context)
    {
        LibraryProbe probe = LibraryProbe.Cublas();
        Assert.SkipUnless(probe.IsUsable, probe.Detail);
        return new CublasProducts(context, probe.Name, allowTf32: false);
    }

    public static IProducts Own(CudaContext context) => new OwnProducts(context);

    public static IConvolutions? Cudnn(CudaContext context)
    {
        LibraryProbe probe = LibraryProbe.Cudnn();
        Assert.SkipUnless(probe.IsUsable, probe.Detail);
        return new CudnnConvolutions(context, probe.Name, allowTf32: false);
    }

    public static IConvolutions? None(CudaContext context) => null;

    /// <summary>A backend; skips the test where a library or the device is missing.</summary>
    public static IBackend Open(Func<CudaContext, IProducts> products, Func<CudaContext, IConvolutions?> convolutions)
    {
        Doubles.Require();
        CudaContext context = CudaContext.Open(0);
        IProducts? opened = null;
        try
        {
            opened = products(context);
            return (IBackend)(object)new CudaBackend(context, opened, convolutions(context));
        }
        catch
        {
            opened?.Dispose();
            context.Dispose();
            throw;
        }
    }
}
