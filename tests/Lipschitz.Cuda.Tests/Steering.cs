namespace Lipschitz.Cuda.Tests;

/// <summary>Tests that steer the doubles run one after the other and after all others, since there is one double of each library in a process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Steering
{
    public const string Name = "steering";
}

/// <summary>A test that steers the doubles: it finds them as new and must leave nothing behind.</summary>
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
        string complaints = Control.Complaints;
        Control.Reset();
        Assert.Equal("", complaints);
    }
}
