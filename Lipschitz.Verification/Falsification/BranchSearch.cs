using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Verification.Falsification;

/// <summary>One search on one layer; one thread.</summary>
internal sealed class BranchSearch
{
    private const int BatchRows = 84;
    private const int BatchNumbers = 1 << 15; // fewer rows of pictures: a hidden layer has a hundred numbers for each of them
    private const double FarOut = 1e6;
    private readonly IBackend _backend;
    private readonly ILayer _layer;
    private readonly FalsificationOptions _options;
    private readonly Linearization _linearization;
    private readonly Workspace _workspace;
    private readonly Tensor _gradient;
    private readonly Random _random;
    private readonly int _width;
    private readonly int _batchRows;
    private readonly int _ascents;
    private readonly int _steps;
    private readonly PriorityQueue<double[], double> _starts = new(); // the best points met, the worst of them first
    private LowerBound _best;

    public BranchSearch(IBackend backend, ILayer layer, int gradientLength, FalsificationOptions options, ulong stream)
    {
        (_backend, _layer, _options, _width) = (backend, layer, options, layer.InputWidth);
        _linearization = layer.CreateLinearization();

        // Few points mean little work: what else is done is in proportion.
        _batchRows = Math.Clamp(Math.Min(BatchNumbers / _width, options.Points / 2), 1, BatchRows);
        (_ascents, _steps) = (Math.Min(options.Ascents, Math.Max(1, options.Points / 8)), Math.Min(options.Steps, Math.Max(4, options.Points / 2)));
        _workspace = new Workspace(backend);
        _gradient = backend.Allocate(1, gradientLength);
        _random = new Random(unchecked((int)((options.Seed * 0x9E3779B97F4A7C15UL) ^ (stream * 0xC2B2AE3D27D4EB4FUL))));
        _best = new LowerBound(0, "nothing", new double[_width]);
    }

    public LowerBound Run()
    {
        Points("the origin", new double[_width], 4);
        int rounds = Math.Max(1, _options.Points / _batchRows / 2);
        for (int round = 0; round < rounds; round++)
        {
            double[] points = round % 8 == 7 ? Normal(_batchRows, _ => FarOut) : Normal(_batchRows, _ => Math.Pow(10, (4 * _random.NextDouble()) - 2));
            Points(round % 8 == 7 ? "far-out points" : "random points", points, 3);
            Pairs("pairs", points, Normal(_batchRows, _ => Math.Pow(10, (4 * _random.NextDouble()) - 2)));
        }

        Extremal();
        Ascend();
        return _best;
    }

    // The singular vectors of what each layer does to the input itself, at many lengths; as many as were asked for, or are cheap.
    private void Extremal()
    {
        int most = Math.Max(_options.Points, (1 << 20) / _width);
        double[] scales = [0.03, 0.1, 0.3, 1, 2, 3, 5, 10, 30, 100];
        foreach (EffectiveWeight weight in _layer.EffectiveWeights)
        {
            if (weight.Value.Columns < _width)
            {
                continue;
            }

            var values = new double[weight.Value.Count];
            _backend.Download(weight.Value, values);
            var points = new List<double>();
            for (int row = 0; row < weight.Value.Rows; row++)
            {
                ReadOnlySpan<double> direction = values.AsSpan(row * weight.Value.Columns, _width);
                double length = Norm(direction);
                foreach (double scale in length > 0 ? scales : [])
                {
                    foreach (double sign in (double[])[scale / length, -scale / length])
                    {
                        foreach (double x in direction)
                        {
                            points.Add(sign * x);
                        }
                    }
                }
            }

            double[] all = [.. points];
            int count = Math.Min(most, all.Length / _width), first = (int)_random.NextInt64((all.Length / _width) - count + 1);
            Points("extremal directions", all[(first * _width)..((first + count) * _width)], 3);
        }
    }

    private void Ascend()
    {
        double[] x = [.. _starts.UnorderedItems.OrderByDescending(item => item.Priority).SelectMany(item => item.Element)];
        int rows = x.Length / _width;
        double[] directions = Normal(rows, _ => 1);
        double[] values = Stretches(x, directions, 8);
        var steps = new double[rows];
        for (int i = 0; i < rows; i++)
        {
            steps[i] = 0.1 * (1 + Norm(x.AsSpan(i * _width, _width)));
        }

        for (int step = 0; step < _steps; step++)
        {
            double[] gradient = StretchGradient(x, directions);
            double[] candidate = [.. x];
            for (int i = 0; i < rows; i++)
            {
                Span<double> g = gradient.AsSpan(i * _width, _width);
                double length = Norm(g);
                for (int j = 0; j < _width && length > 0; j++)
                {
                    candidate[(i * _width) + j] += steps[i] / length * g[j];
                }
            }

            double[] turned = [.. directions];
            double[] there = Stretches(candidate, turned, 4);
            for (int i = 0; i < rows; i++)
            {
                if (there[i] > values[i])
                {
                    candidate.AsSpan(i * _width, _width).CopyTo(x.AsSpan(i * _width));
                    turned.AsSpan(i * _width, _width).CopyTo(directions.AsSpan(i * _width));
                    (values[i], steps[i]) = (there[i], 1.6 * steps[i]);
                }
                else
                {
                    steps[i] *= 0.5;
                }
            }
        }

        double[] final = Stretches(x, directions, Math.Max(10, _steps));
        for (int i = 0; i < rows; i++)
        {
            Offer(final[i], "gradient ascent", x.AsSpan(i * _width, _width));
        }

        // Quotients along the direction of largest stretch; far enough apart, for where they are, that rounding does not matter.
        double[] lengths = [.. Enumerable.Range(0, rows).Select(i => 1 + Norm(x.AsSpan(i * _width, _width)))];
        foreach (double distance in (double[])[1e-3, 1e-1])
        {
            double[] other = [.. x.Select((value, k) => value + (distance * lengths[k / _width] * directions[k]))];
            Pairs("pairs", x, other);
        }
    }

    private void Points(string method, double[] points, int iterations)
    {
        for (int first = 0; first < points.Length; first += _batchRows * _width)
        {
            double[] batch = points[first..Math.Min(points.Length, first + (_batchRows * _width))];
            double[] values = Stretches(batch, Normal(batch.Length / _width, _ => 1), iterations);
            for (int i = 0; i < values.Length; i++)
            {
                Span<double> point = batch.AsSpan(i * _width, _width);
                Offer(values[i], method, point);
                if (_starts.Count < _ascents)
                {
                    _starts.Enqueue(point.ToArray(), values[i]);
                }
                else if (_starts.TryPeek(out _, out double worst) && values[i] > worst)
                {
                    _starts.DequeueEnqueue(point.ToArray(), values[i]);
                }
            }
        }
    }

    private void Pairs(string method, double[] a, double[] b)
    {
        double[] fa = Evaluate(a), fb = Evaluate(b);
        int rows = a.Length / _width, outputs = _layer.OutputWidth;
        for (int i = 0; i < rows; i++)
        {
            double apart = Distance(a.AsSpan(i * _width, _width), b.AsSpan(i * _width, _width));
            if (apart > 0)
            {
                double images = Distance(fa.AsSpan(i * outputs, outputs), fb.AsSpan(i * outputs, outputs));
                Offer(images / apart, method, a.AsSpan(i * _width, _width));
            }
        }
    }

    private double[] Evaluate(double[] points)
    {
        _workspace.Reset();
        int rows = points.Length / _width;
        Tensor x = Upload(points), y = _workspace.Rent(rows, _layer.OutputWidth);
        _layer.Forward(x, y, _workspace);
        return Download(y);
    }

    // |J(x) t| at each row for unit vectors t, turned towards the largest by power iteration.
    private double[] Stretches(double[] points, double[] directions, int iterations)
    {
        _workspace.Reset();
        int rows = points.Length / _width;
        _linearization.Evaluate(Upload(points), rows, _workspace);
        _linearization.PrepareProducts(_workspace);
        Tensor t = _workspace.Rent(rows, _width), image = _workspace.Rent(rows, _layer.OutputWidth);
        Normalise(directions);
        for (int k = 0; k < iterations; k++)
        {
            _backend.Upload(directions, t);
            _linearization.Jvp(t, image, _workspace);
            _linearization.Vjp(image, t, _workspace);
            double[] next = Download(t);
            for (int i = 0; i < rows; i++)
            {
                if (Norm(next.AsSpan(i * _width, _width)) > 0)
                {
                    next.AsSpan(i * _width, _width).CopyTo(directions.AsSpan(i * _width));
                }
            }

            Normalise(directions);
        }

        _backend.Upload(directions, t);
        _linearization.Jvp(t, image, _workspace);
        double[] images = Download(image);
        int outputs = _layer.OutputWidth;
        return [.. Enumerable.Range(0, rows).Select(i => Norm(images.AsSpan(i * outputs, outputs)))];
    }

    // The gradient of |J(x) t| with respect to x, t held: that of w'J(x)t with w = J t / |J t|.
    private double[] StretchGradient(double[] points, double[] directions)
    {
        _workspace.Reset();
        int rows = points.Length / _width, outputs = _layer.OutputWidth;
        _linearization.Evaluate(Upload([.. points, .. directions]), rows, _workspace);
        double[] images = Download(_linearization.Images);
        for (int i = 0; i < rows; i++)
        {
            Scale(images.AsSpan(i * outputs, outputs));
        }

        Tensor outer = Upload([.. new double[rows * outputs], .. images], outputs), inner = _workspace.Rent(2 * rows, _width);
        _linearization.PrepareProducts(_workspace);
        _linearization.Backward(outer, inner, _gradient, _workspace);
        return Download(inner.RowRange(0, rows));
    }

    private Tensor Upload(double[] values) => Upload(values, _width);

    private Tensor Upload(double[] values, int columns)
    {
        Tensor x = _workspace.Rent(values.Length / columns, columns);
        _backend.Upload(values, x);
        return x;
    }

    private double[] Download(Tensor x)
    {
        var values = new double[x.Count];
        _backend.Download(x, values);
        return values;
    }

    private void Offer(double value, string method, ReadOnlySpan<double> point)
    {
        if (value > _best.Value)
        {
            _best = new LowerBound(value, method, point.ToArray());
        }
    }

    private double[] Normal(int rows, Func<int, double> scale)
    {
        var values = new double[rows * _width];
        for (int i = 0; i < rows; i++)
        {
            double length = scale(i);
            for (int j = 0; j < _width; j++)
            {
                double radius = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble()));
                values[(i * _width) + j] = length * radius * Math.Cos(2 * Math.PI * _random.NextDouble());
            }
        }

        return values;
    }

    private void Normalise(double[] rows)
    {
        for (int i = 0; i < rows.Length; i += _width)
        {
            Scale(rows.AsSpan(i, _width));
        }
    }

    private static void Scale(Span<double> x)
    {
        double norm = Norm(x);
        for (int j = 0; j < x.Length && norm > 0; j++)
        {
            x[j] /= norm;
        }
    }

    private static double Norm(ReadOnlySpan<double> x) => System.Numerics.Tensors.TensorPrimitives.Norm(x);

    private static double Distance(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => System.Numerics.Tensors.TensorPrimitives.Distance(x, y);
}
