using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

public class BatchInputTests
{
    [Fact]
    public void Rows_that_failed_once_are_drawn_again()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float64);
        var source = new Unsteady();
        var input = new BatchInput(backend, source, BatchPlan.Of(4, 2, 8), hasClasses: false);
        input.Take(1, 0);
        source.Fails = true;
        Assert.ThrowsAny<Exception>(() => input.DrawAhead(1, 1));
        source.Fails = false;
        input.Take(1, 1);
        Assert.Equal([1.0, 1, 1, 1], [.. input.Points(0), .. input.Points(1)]);
    }

    // Every number is the step it is drawn for.
    private sealed class Unsteady : IPointSource
    {
        public bool Fails { get; set; }

        public int Width => 1;

        public double? Entropy => null;

        public int? TrainingRows => null;

        public int? TestRows => null;

        public int? RowsPerEpoch => null;

        public void Sample(RandomKey key, long firstRow, Span<double> points)
        {
            if (Fails)
            {
                throw new IOException("not now");
            }

            points.Fill(key == new RandomKey(1, RandomPurpose.TrainingData, 1) ? 1 : 0);
        }
    }
}
