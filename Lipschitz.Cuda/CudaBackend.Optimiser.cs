using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>The optimiser; random numbers.</content>
internal sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Norm(Tensor x, Tensor norm)
    {
        Require(norm, 1, 1, "norm");
        Tensor flat = Flat(x);
        var pass = Pass.Over(flat.Rows, flat.Columns, flat);
        using Scratch parts = _context.Rent(Bytes<double>(pass.Blocks, 1));
        _context.Launch("sum_squares", pass.Grid, pass.LaneBits, pass.Width, flat, parts.Address);
        _context.Launch("root_of_sum", Grid.Blocks(1), parts.Address, pass.Blocks, norm);
        Alive(x, norm);
    }

    /// <inheritdoc/>
    public void Adam(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor average, Tensor norm, double clip,
        AdamStep step)
    {
        int n = parameters.Columns;
        Require(parameters, 1, n, "parameters");
        Require(gradient, 1, n, "gradient");
        Require(firstMoment, 1, n, "firstMoment");
        Require(secondMoment, 1, n, "secondMoment");
        Require(average, 1, n, "average");
        Require(norm, 1, 1, "norm");
        double rate = step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step));
        double inverse2 = 1 / (1 - Math.Pow(step.Beta2, step.Step));
        var pass = Pass.Over(1, n, parameters, gradient, firstMoment, secondMoment, average);
        _context.Launch(
            "adam", pass.Grid, pass.LaneBits, pass.Width, parameters, gradient, firstMoment, secondMoment, average, norm, clip, (float)step.Beta1,
            (float)(1 - step.Beta1), (float)step.Beta2, (float)(1 - step.Beta2), (float)rate, (float)inverse2, (float)step.Epsilon,
            (float)step.AverageDecay, (float)(1 - step.AverageDecay));
        Alive(parameters, gradient, firstMoment);
        Alive(secondMoment, average, norm);
    }

    // ---- random numbers ----

    /// <inheritdoc/>
    public void FillNormal(RandomKey key, long firstRow, Tensor x)
    {
        RequireRows(firstRow, x);
        (Pass pass, uint address) = Draws(key, x);
        _context.Launch(
            "fill_normal", pass.Grid, pass.LaneBits, (uint)firstRow, key.Step, address, (uint)key.Seed, (uint)(key.Seed >> 32), x);
        Alive(x);
    }

    /// <inheritdoc/>
    public void FillSigns(RandomKey key, long firstRow, Tensor x)
    {
        RequireRows(firstRow, x);
        (Pass pass, uint address) = Draws(key, x);
        _context.Launch(
            "fill_signs", pass.Grid, pass.LaneBits, (uint)firstRow, key.Step, address, (uint)key.Seed, (uint)(key.Seed >> 32), x);
        Alive(x);
    }

    // Four columns come from one draw; the last word of Philox's counter as in Philox.Block.
    private static (Pass Pass, uint Address) Draws(RandomKey key, Tensor x) =>
        (Pass.Single(x.Rows, Pass.Ratio(x.Columns, 4)), ((uint)key.Purpose << 24) | (key.Index & 0xFFFFFF));

    private static void RequireRows(long firstRow, Tensor x)
    {
        if (x.Rows > 0 && (firstRow < 0 || firstRow + x.Rows - 1 > uint.MaxValue))
        {
            throw new OverflowException($"Random rows {firstRow} to {firstRow + x.Rows - 1} leave the range of 0 to 2^32 - 1.");
        }
    }
}
