using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.LogDet;

/// <summary>
/// One residual block with an i-DenseNet branch, and the numbers that estimators are compared by: the log-determinants of a few rows,
/// combined at random, and some random projections of their gradient in x and in all parameters.
/// </summary>
internal sealed class Trial
{
    public const int Numbers = 6;
    private const int Rows = 2;
    private readonly IBackend _backend = ReferenceBackend.Create(Precision.Float64);
    private readonly Workspace _workspace;
    private readonly double[] _x;
    private readonly double[] _xDirection;
    private readonly double[][] _directions;
    private readonly Tensor _gradient;

    public Trial(int width)
    {
        _workspace = new Workspace(_backend);
        var net = new DenseNet(
            _backend, "g", width, 1, width + 2, Activation.LipSwish, true, 0.98, Normalisation.Spectral(0.85), new RandomKey(3, RandomPurpose.Test));
        Block = new ResidualBlock(_backend, "blocks.0", net);
        var random = new Random(21);
        Parameter[] weights = [.. net.Parameters.Where(p => p.Role == ParameterRole.Weight)];
        double[] first = Differences.Normal(random, weights[0].Value.Count);
        _backend.Upload(first, weights[0].Value);
        _backend.Upload(LastWeight(first, width, width + 2), weights[1].Value);
        Flow = new Flow(_backend, [Block]);
        Flow.UpdateNorms(500);
        _x = Differences.Normal(random, Rows * width);
        _xDirection = Differences.Normal(random, _x.Length);
        _gradient = _backend.Allocate(1, Flow.Trained.Values.Columns);
        _directions = [.. Enumerable.Range(0, Numbers - 2).Select(_ => Differences.Normal(random, _gradient.Columns))];
    }

    public Flow Flow { get; }

    public ResidualBlock Block { get; }

    public double[] LogDet(LogDetEstimator estimator, uint step = 0)
    {
        FlowPass pass = Forward(Flow.CreatePass(estimator), step);
        return pass.LogDet.Read();
    }

    /// <summary>The numbers for the draw of one step.</summary>
    public double[] Measure(FlowPass pass, uint step)
    {
        Forward(pass, step);
        Tensor zGradient = _workspace.Rent(Rows, Flow.Width), xGradient = _workspace.Rent(Rows, Flow.Width);
        Tensor logDetGradient = _workspace.Rent(Rows, 1);
        double[] weights = [1, 0.7];
        _backend.Upload(weights, logDetGradient);
        _backend.Fill(zGradient, 0);
        _backend.Fill(_gradient, 0);
        pass.Backward(zGradient, logDetGradient, xGradient, _gradient, _workspace);
        Flow.PullBack(_gradient);
        double[] flat = _gradient.Read();
        return
        [
            Differences.Dot(weights, pass.LogDet.Read()),
            Differences.Dot(_xDirection, xGradient.Read()),
            .. _directions.Select(direction => Differences.Dot(direction, flat)),
        ];
    }

    /// <summary>How many standard errors the mean over draws is away from the truth, number by number.</summary>
    public double[] Scores(LogDetEstimator estimator, LogDetEstimator truth, int draws)
    {
        double[] exact = Measure(Flow.CreatePass(truth), 0), sum = new double[Numbers], squares = new double[Numbers];
        FlowPass pass = Flow.CreatePass(estimator);
        for (uint step = 0; step < draws; step++)
        {
            double[] measured = Measure(pass, step);
            for (int i = 0; i < Numbers; i++)
            {
                double off = measured[i] - exact[i];
                sum[i] += off;
                squares[i] += off * off;
            }
        }

        var scores = new double[Numbers];
        for (int i = 0; i < Numbers; i++)
        {
            double mean = sum[i] / draws, variance = (squares[i] - (draws * mean * mean)) / (draws - 1);
            scores[i] = mean / Math.Sqrt(variance / draws);
        }

        return scores;
    }

    // [0.3 I, A'] behind the first weight A: J is nearly symmetric and positive, so that no trace is small by cancellation.
    private static double[] LastWeight(double[] first, int width, int growth)
    {
        var last = new double[width * (width + growth)];
        for (int i = 0; i < width; i++)
        {
            last[(i * (width + growth)) + i] = 0.3;
            for (int j = 0; j < growth; j++)
            {
                last[(i * (width + growth)) + width + j] = first[(j * width) + i];
            }
        }

        return last;
    }

    private FlowPass Forward(FlowPass pass, uint step)
    {
        _workspace.Reset();
        Tensor x = _workspace.Rent(Rows, Flow.Width);
        _backend.Upload(_x, x);
        pass.Forward(x, new DrawAddress(77, step, 0, 0), _workspace);
        return pass;
    }
}
