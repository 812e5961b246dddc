using System.Collections.Concurrent;
using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>
/// A density model: a chain of bijections from data x to latents z with a standard normal base,
/// <c>log p(x) = log N(F(x); 0, I) + log |det dF/dx|</c>.
/// </summary>
/// <remarks>
/// <para>
/// A bijection narrower than the one before it takes the first columns; the others leave and are latents as they are (factoring out, Dinh
/// et al. 2017). In z they keep their columns.
/// </para>
/// Points cross this class as rows of doubles, row by row. Batches are cut into shards of fixed size, each worked on by one thread, so
/// that results do not depend on the number of threads. Evaluations may run on several threads at once, changes of parameters not beside
/// them. A flow lives as long as its backend.
/// </remarks>
public sealed class Flow
{
    /// <summary>Points of a shard: 84 rows are whole tiles of every product kernel, and their records fit into a second-level cache.</summary>
    public const int PointsPerShard = 84;

    /// <summary>Pictures of a shard: each has a thousand rows of pixels, and records of about 100 MiB in the papers' models.</summary>
    public const int PicturesPerShard = 1;

    private const int LargestPoint = 256; // columns above which a row is a picture
    private const int InitialisationPictures = 64;

    private readonly IBackend _backend;
    private readonly ResidualBlock[] _blocks;
    private readonly EffectiveWeight[] _effectiveWeights;

    /// <summary>Chains bijections; the first is nearest to the data.</summary>
    /// <param name="backend">Where the flow lives.</param>
    /// <param name="bijections">The chain.</param>
    /// <param name="head">A classifier on outputs along the chain, trained and saved with it; null for none.</param>
    /// <exception cref="ShapeMismatchException">There is none, or one is wider than that before it.</exception>
    public Flow(IBackend backend, IReadOnlyList<IBijection> bijections, ClassificationHead? head = null)
    {
        if (bijections.Count == 0)
        {
            throw new ShapeMismatchException("A flow needs at least one bijection.");
        }

        for (int i = 1; i < bijections.Count; i++)
        {
            if (bijections[i].Width > bijections[i - 1].Width)
            {
                throw new ShapeMismatchException(
                    $"{bijections[i].Name} takes {bijections[i].Width} columns but {bijections[i - 1].Name} before it gives {bijections[i - 1].Width}.");
            }
        }

        (_backend, Bijections, Head) = (backend, bijections, head);
        _blocks = [.. bijections.OfType<ResidualBlock>()];
        Layers = [.. _blocks.Select(block => block.Branch), .. head?.Layers ?? []];
        _effectiveWeights = [.. Layers.SelectMany(layer => layer.EffectiveWeights)];
        Width = bijections[0].Width;
        Parameters = [.. bijections.SelectMany(b => b.Parameters), .. head?.Parameters ?? []];
        Trained = new ParameterVector(backend, Parameters);
        Prepare();
    }

    /// <summary>Columns of a point.</summary>
    public int Width { get; }

    /// <summary>
    /// Rows that one thread works on at a time: <see cref="PointsPerShard"/> up to 256 columns, <see cref="PicturesPerShard"/> beyond, times what
    /// the backend asks for. On processors a function of the width alone, so that no result depends on the machine.
    /// </summary>
    public int ShardRows => _backend.ShardScale * (Width <= LargestPoint ? PointsPerShard : PicturesPerShard);

    /// <summary>The chain, nearest to the data first.</summary>
    public IReadOnlyList<IBijection> Bijections { get; }

    /// <summary>A classifier on outputs along the chain, or null.</summary>
    public ClassificationHead? Head { get; }

    /// <summary>Trained parameters and saved state, in order; those of the head come last.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The trained parameters as one flat vector.</summary>
    public ParameterVector Trained { get; }

    /// <summary>The number of trained scalars.</summary>
    public long TrainedCount => Trained.Parameters.Sum(p => (long)p.Value.Count);

    /// <summary>The residual blocks in order.</summary>
    public IEnumerable<ResidualBlock> Blocks => _blocks;

    /// <summary>All that has effective weights: the blocks' branches, then the head's layers.</summary>
    internal IReadOnlyList<ILayer> Layers { get; }

    /// <summary>Those of all <see cref="Layers"/>.</summary>
    internal IReadOnlyList<EffectiveWeight> EffectiveWeights => _effectiveWeights;

    /// <summary>The backend the flow lives on.</summary>
    public IBackend Backend => _backend;

    /// <summary>What <see cref="Prepare()"/> works on in parallel: the bijections and, last, the head if there is one.</summary>
    internal int Parts => Bijections.Count + (Head is null ? 0 : 1);

    /// <summary>
    /// Makes effective weights from parameters, after every change of them. A loaded flow has those of its file, perhaps scaled down for a
    /// certificate; this replaces them.
    /// </summary>
    public void Prepare() => _backend.Parallel(Parts, Prepare);

    /// <summary>Turns a flat gradient with respect to effective weights into one with respect to parameters, in place.</summary>
    public void PullBack(Tensor gradient) => _backend.Parallel(Parts, part => PullBack(part, gradient));

    /// <summary>Improves the estimates of the weights' norms, and prepares: on a loaded flow see <see cref="Prepare()"/>.</summary>
    public void UpdateNorms(int iterations, double tolerance = 0) =>
        _backend.Parallel(Parts, part => UpdateNorms(part, iterations, tolerance));

    /// <summary>One part of <see cref="PullBack(Tensor)"/>.</summary>
    internal void PullBack(int part, Tensor gradient)
    {
        if (part < Bijections.Count)
        {
            Bijections[part].PullBack(gradient);
            return;
        }

        Head!.PullBack(gradient);
    }

    /// <summary>One part of <see cref="UpdateNorms(int, double)"/>; the head has no norms to hold down.</summary>
    internal void UpdateNorms(int part, int iterations, double tolerance)
    {
        if (part < Bijections.Count)
        {
            Bijections[part].UpdateNorms(iterations, tolerance);
        }

        Prepare(part);
    }

    /// <summary>
    /// The parameters have changed since anything was found out about the flow; a part of <see cref="Prepare()"/>, and to be called by itself
    /// where a device repeats what that queues (<see cref="IBackend.Repeatable"/>).
    /// </summary>
    internal void Expire()
    {
        foreach (ResidualBlock block in _blocks)
        {
            block.Expire();
        }

        foreach (EffectiveWeight weight in _effectiveWeights)
        {
            weight.Expire();
        }
    }

    private void Prepare(int part)
    {
        if (part < Bijections.Count)
        {
            Bijections[part].Prepare();
            return;
        }

        Head!.Prepare();
    }

    /// <summary>The Lipschitz estimate of each block's branch, in order: of its parameters, also where a file had the weights scaled.</summary>
    public IReadOnlyList<double> BlockLipschitzEstimates() => [.. Blocks.Select(block => block.Branch.LipschitzEstimate)];

    /// <summary>A record of forward passes of one shard.</summary>
    /// <param name="estimator">The way to get log-determinants.</param>
    /// <param name="recompute">
    /// Whether blocks keep only their inputs and are evaluated again in the backward pass, so that the memory of a pass is that of its
    /// largest block; no bit of a result changes.
    /// </param>
    public FlowPass CreatePass(LogDetEstimator estimator, bool recompute = false) => new(this, estimator, recompute);

    /// <summary>log p(x) of each point in nats.</summary>
    /// <param name="points">Points [n, Width], row by row.</param>
    /// <param name="estimator">The way to get log-determinants.</param>
    /// <param name="seed">The seed of a random estimator.</param>
    /// <param name="repeats">Independent estimates a point, averaged; with 2 or more a random estimator reports standard errors.</param>
    /// <param name="allowNonFinite">
    /// Whether a point without a finite log-density keeps what came of it, -infinity or NaN, and leaves the others as they are. In float32 that is so of
    /// a point some 1e19 from the rest: its log-density is below -3.4e38.
    /// </param>
    /// <exception cref="NonFiniteException">
    /// A point has no finite log-density, so that none is returned; the message names the first block at fault and the row.
    /// </exception>
    /// <exception cref="ShapeMismatchException">The numbers are not a whole number of rows.</exception>
    /// <exception cref="NotSupportedException">The estimator does not take points of this width.</exception>
    public LogProbResult LogProb(
        ReadOnlySpan<double> points, LogDetEstimator estimator, ulong seed = 0, int repeats = 1, bool allowNonFinite = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(repeats);
        int runs = estimator.IsRandom ? repeats : 1;
        int rows = RowCount(points);
        double[] input = points.ToArray();
        var draws = new double[checked(runs * rows)]; // run by run
        ForEachShard(rows, () => (Pass: CreatePass(estimator, recompute: true), Workspace: new Workspace(_backend)), (state, first, count) =>
        {
            for (int run = 0; run < runs; run++)
            {
                state.Workspace.Reset();
                Tensor x = state.Workspace.Rent(count, Width), logProb = state.Workspace.Rent(count, 1);
                _backend.Upload(input.AsSpan(first * Width, count * Width), x);
                state.Pass.Forward(x, new DrawAddress(seed, (uint)run, 0, first), state.Workspace);
                state.Pass.LogProb(logProb);
                if (!allowNonFinite && !_backend.AllFinite(logProb))
                {
                    throw state.Pass.DescribeNonFinite(first);
                }

                _backend.Download(logProb, draws.AsSpan((run * rows) + first, count));
            }
        });
        return LogProbResult.OfDraws(draws, runs, estimator.Kind);
    }

    /// <summary>One logit a class of each point, row by row.</summary>
    /// <param name="points">Points [n, Width], row by row.</param>
    /// <exception cref="InvalidOperationException">The flow has no <see cref="Head"/>.</exception>
    /// <exception cref="NonFiniteException">A logit is not finite.</exception>
    public double[] Logits(ReadOnlySpan<double> points)
    {
        ClassificationHead head = Head ?? throw new InvalidOperationException("The flow has no classification head.");
        int rows = RowCount(points);
        double[] input = points.ToArray();
        var logits = new double[checked(rows * head.Classes)];
        ForEachShard(
            rows,
            () => (Pass: CreatePass(new NoLogDeterminant(), recompute: true), Head: head.CreatePass(), Workspace: new Workspace(_backend)),
            (state, first, count) =>
            {
                state.Workspace.Reset();
                Tensor x = state.Workspace.Rent(count, Width);
                _backend.Upload(input.AsSpan(first * Width, count * Width), x);
                state.Pass.Forward(x, default, state.Workspace);
                state.Head.Forward(state.Pass, state.Workspace);
                if (!_backend.AllFinite(state.Head.Logits))
                {
                    throw state.Head.DescribeNonFinite(state.Pass, first);
                }

                _backend.Download(state.Head.Logits, logits.AsSpan(first * head.Classes, count * head.Classes));
            });
        return logits;
    }

    /// <summary>z = F(x) of each point.</summary>
    /// <param name="points">Points [n, Width], row by row.</param>
    public double[] Forward(ReadOnlySpan<double> points)
    {
        int rows = RowCount(points);
        double[] values = points.ToArray();
        ForEachShard(rows, () => new Workspace(_backend), (workspace, first, count) =>
        {
            workspace.Reset();
            Tensor z = workspace.Rent(count, Width);
            _backend.Upload(values.AsSpan(first * Width, count * Width), z);
            foreach (IBijection bijection in Bijections)
            {
                ApplyInPlace(bijection, z, workspace);
            }

            _backend.Download(z, values.AsSpan(first * Width, count * Width));
        });
        return values;
    }

    /// <summary>x = F^-1(z) of each latent, with iterations, residual and error bound.</summary>
    /// <param name="latents">Latents [n, Width], row by row.</param>
    /// <param name="tolerance">The error bound of each block at which a row is done.</param>
    /// <param name="maximumIterations">Iterations of a block after which the inverse has failed.</param>
    /// <exception cref="ConvergenceException">A block is not known to be invertible, or its iterations ran out.</exception>
    public InverseReport Inverse(ReadOnlySpan<double> latents, double tolerance = 1e-5, int maximumIterations = 2000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tolerance);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumIterations);
        int rows = RowCount(latents);
        double[] values = latents.ToArray();
        var total = new InverseError[rows];
        var stretch = new double[Bijections.Count];
        var options = new FixedPointOptions(tolerance, maximumIterations);
        _backend.Parallel(Bijections.Count, i => stretch[i] = Bijections[i].InverseLipschitz);
        ForEachShard(rows, () => new Workspace(_backend), (workspace, first, count) =>
        {
            workspace.Reset();
            Tensor z = workspace.Rent(count, Width);
            var errors = new InverseError[count];
            _backend.Upload(values.AsSpan(first * Width, count * Width), z);
            for (int b = Bijections.Count - 1; b >= 0; b--)
            {
                WorkspaceMark mark = workspace.Mark();
                int width = Bijections[b].Width;
                Tensor y = workspace.Rent(count, width), x = workspace.Rent(count, width);
                _backend.Copy(z.ColumnRange(0, width), y);
                Bijections[b].Inverse(y, x, options, errors, workspace);
                _backend.Copy(x, z.ColumnRange(0, width));
                workspace.Release(mark);

                // The error so far is an error of this block's right side, stretched by its inverse; columns that left are not.
                double stretched = width < Width ? Math.Max(1, stretch[b]) : stretch[b];
                for (int i = 0; i < count; i++)
                {
                    InverseError before = total[first + i], own = errors[i];
                    total[first + i] = new InverseError(
                        before.Iterations + own.Iterations, Math.Max(before.Residual, own.Residual), (stretched * before.Bound) + own.Bound,
                        Math.Max(before.BlockBound, own.BlockBound));
                }
            }

            _backend.Download(z, values.AsSpan(first * Width, count * Width));
        });
        return new InverseReport(
            values, [.. total.Select(e => e.Iterations)], [.. total.Select(e => e.Residual)], [.. total.Select(e => e.Bound)],
            [.. total.Select(e => e.BlockBound)]);
    }

    /// <summary>Draws points from the model: latents from N(0, I), inverted.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">The seed: point i depends on it and on i alone.</param>
    /// <param name="tolerance">As of <see cref="Inverse"/>, in the unit of the data.</param>
    /// <returns>Points [count, Width], row by row.</returns>
    /// <exception cref="ConvergenceException">The inverse failed.</exception>
    public double[] Sample(int count, ulong seed = 0, double tolerance = 1e-5) => Inverse(Latents(count, seed), tolerance).Points;

    /// <summary>Draws from N(0, I), row by row: row i depends on the seed and on i alone.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Their seed.</param>
    /// <param name="firstRow">The i of the first.</param>
    /// <exception cref="OverflowException">They are more numbers than an array holds.</exception>
    public double[] Latents(int count, ulong seed, uint firstRow = 0)
    {
        var latents = new double[checked(count * Width)];
        for (int i = 0; i < count; i++)
        {
            NormalDraws.FillRow(new RandomKey(seed, RandomPurpose.Sampling), firstRow + (uint)i, latents.AsSpan(i * Width, Width));
        }

        return latents;
    }

    /// <summary>
    /// The rows of a first batch that <see cref="Initialise"/> is worth giving: all points, or 64 pictures whatever the batch: fewer would leave the
    /// ActNorms of single features with the moments of a handful of numbers, and channels have thousands of pixels.
    /// </summary>
    public int InitialisationRows(int batch) => Width <= LargestPoint ? batch : InitialisationPictures;

    /// <summary>Sets the parameters that depend on a first batch, front to back. points [n, Width], row by row.</summary>
    public void Initialise(ReadOnlySpan<double> points)
    {
        int rows = RowCount(points);
        Tensor z = _backend.Allocate(rows, Width), x = _backend.Allocate(rows, Width);
        _backend.Upload(points, z);
        var workspaces = new ConcurrentBag<Workspace>();
        for (int i = 0; i < Bijections.Count; i++)
        {
            IBijection bijection = Bijections[i];
            Tensor input = new(x.Buffer, 0, rows, bijection.Width, bijection.Width);
            _backend.Copy(z.ColumnRange(0, bijection.Width), input);
            bijection.Initialise(input);
            ForEachShard(
                rows,
                () => new Workspace(_backend),
                (workspace, first, count) =>
                {
                    workspace.Reset();
                    ApplyInPlace(bijection, z.RowRange(first, count), workspace);
                },
                workspaces);
            _backend.Copy(z.ColumnRange(0, bijection.Width), input);
            Head?.Initialise(i, input);
        }
    }

    // The bijection's columns of z <- F of them.
    private void ApplyInPlace(IBijection bijection, Tensor z, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        Tensor kept = z.ColumnRange(0, bijection.Width);
        Tensor x = workspace.Rent(z.Rows, bijection.Width), y = workspace.Rent(z.Rows, bijection.Width);
        _backend.Copy(kept, x);
        bijection.Forward(x, y, workspace);
        _backend.Copy(y, kept);
        workspace.Release(mark);
    }

    private int RowCount(ReadOnlySpan<double> points) => points.Length % Width == 0
        ? points.Length / Width
        : throw new ShapeMismatchException($"{points.Length} numbers are not rows of {Width}.");

    private void ForEachShard<TState>(
        int rows, Func<TState> create, Action<TState, int, int> body, ConcurrentBag<TState>? free = null)
    {
        // States are pooled, not tied to shards: which one a shard gets cannot change its result.
        free ??= [];
        int shards = (rows + ShardRows - 1) / ShardRows;
        var failures = new Exception?[shards];
        _backend.Parallel(shards, shard =>
        {
            try
            {
                TState state = free.TryTake(out TState? taken) ? taken : create();
                int first = shard * ShardRows;
                body(state, first, Math.Min(ShardRows, rows - first));
                free.Add(state);
            }
            catch (Exception failure)
            {
                failures[shard] = failure;
            }
        });

        // Callers are promised the exception itself, and that of the first rows whatever the number of threads.
        if (failures.FirstOrDefault(failure => failure is not null) is { } firstFailure)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(firstFailure);
        }
    }
}
