namespace Lipschitz.Cuda.Tests;

/// <summary>
/// Tests that steer the doubles run one after the other and after all others, since there is one double of each library in a process.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Steering
{
    public const string Name = "steering";
}

/// <summary>A test that steers the doubles: it finds them as new, breaks no rule of CUDA, and gives everything back.</summary>
[Collection(Steering.Name)]
public abstract class SteeringTests : IDisposable
{
    protected SteeringTests()
    {
        Doubles.RequireFakes();
        Assert.Equal("", Control.Complaints); // of tests before
        Control.Reset();
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        (string complaints, string leaks) = (Control.Complaints, Control.Leaks);
        Control.Forget();
        Control.Reset();
        Assert.Equal("", complaints);
        Assert.Equal("", leaks);
    }
}
