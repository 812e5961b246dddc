using System.Runtime.CompilerServices;
using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Layers;

public class LifetimeTests
{
    [Fact]
    public void A_thread_that_made_layers_does_not_hold_their_backend()
    {
        WeakReference backend = MakeLayer();
        for (int i = 0; i < 10 && backend.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(backend.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference MakeLayer()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float32);
        _ = new Linear(backend, "a", 3, 4, Normalisation.Spectral(0.9), new RandomKey(1, default, 0, 0));
        return new WeakReference(backend);
    }
}
