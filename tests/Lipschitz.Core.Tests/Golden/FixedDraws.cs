using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Golden;

/// <summary>A series length given from outside; the weights are those of geometric(0.5) after two exact terms unless given.</summary>
internal sealed class GivenLength(Func<uint, uint, int> termsOfStepAndBlock, Func<int, double>? weight = null) : SeriesLength
{
    public override bool IsUnbiased => true;

    public override double ExpectedTerms => 4;

    public override int Terms(in DrawAddress draw) => termsOfStepAndBlock(draw.Step, draw.Block);

    public override double Weight(int k) => weight is not null ? weight(k) : k <= 2 ? 1 : Math.Pow(2, k - 3);
}

/// <summary>The series estimator with probes from a file instead of the random numbers.</summary>
internal sealed class GivenProbes(SeriesEstimator inner, Func<uint, uint, double[]> probesOfStepAndBlock) : LogDetEstimator
{
    public override LogDetKind Kind => inner.Kind;

    public override bool IsRandom => false;

    public override int TangentCount(int width, in DrawAddress draw) => inner.TangentCount(width, draw);

    public override int CotangentCount(int width) => inner.CotangentCount(width);

    public override double ExpectedProducts(int width) => inner.ExpectedProducts(width);

    public override void FillTangents(IBackend backend, in DrawAddress draw, int valueRows, Tensor tangents, Workspace workspace)
    {
        double[] all = probesOfStepAndBlock(draw.Step, draw.Block);
        int first = (int)draw.FirstRow * tangents.Columns;
        Tensor probe = tangents.RowRange(0, valueRows);
        backend.Upload(all.AsSpan(first, probe.Count), probe);
        if (inner.CotangentCount(tangents.Columns) == 1)
        {
            Tensor copy = workspace.Rent(valueRows, tangents.Columns);
            backend.Copy(probe, copy);
            backend.CompleteBasis(copy, tangents);
        }
        else
        {
            for (int block = 1; block < tangents.Rows / valueRows; block++)
            {
                backend.Copy(probe, tangents.RowRange(block * valueRows, valueRows));
            }
        }
    }

    public override void Estimate(
        IBackend backend, in DrawAddress draw, Linearization branch, Tensor tangents, Tensor logDet, Tensor cotangents, Workspace workspace) =>
        inner.Estimate(backend, draw, branch, tangents, logDet, cotangents, workspace);
}
