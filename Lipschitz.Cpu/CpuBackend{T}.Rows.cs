using Lipschitz.Backends;
using Lipschitz.Cpu.Kernels;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cpu;

/// <content>Rows, columns and sums; ActNorm; small Jacobians; weights; the optimiser.</content>
internal sealed partial class CpuBackend<T, TVector, TLanes>
{
    /// <inheritdoc/>
    public void AddRow(Tensor row, Tensor y)
    {
        Require(row, 1, y.Columns, "row");
        Elementwise<T, TVector, TLanes>.MapWithRow(default(Elementwise<T, TVector, TLanes>.Sum), new(row), new(y), new(y));
        Alive(row, y);
    }

    /// <inheritdoc/>
    public void ColumnSums(Tensor x, double beta, Tensor sums)
    {
        Require(sums, 1, x.Columns, "sums");
        Reductions<T, TVector, TLanes>.ColumnSums(new(x), T.CreateTruncating(beta), new(sums));
        Alive(x, sums);
    }

    /// <inheritdoc/>
    public void ColumnMoments(Tensor x, Tensor mean, Tensor variance)
    {
        Require(mean, 1, x.Columns, "mean");
        Require(variance, 1, x.Columns, "variance");
        if (x.Rows > 0)
        {
            Reductions<T, TVector, TLanes>.ColumnMoments(new(x), new(mean), new(variance));
        }

        Alive(x, mean, variance);
    }

    /// <inheritdoc/>
    public void RowDots(double alpha, Tensor x, Tensor y, double beta, Tensor dots)
    {
        Require(y, x.Rows, x.Columns, "y");
        Require(dots, x.Rows, 1, "dots");
        Reductions<T, TVector, TLanes>.RowDots(T.CreateTruncating(alpha), new(x), new(y), T.CreateTruncating(beta), new(dots));
        Alive(x, y, dots);
    }

    /// <inheritdoc/>
    public void ScaleRows(Tensor factors, Tensor x, Tensor y)
    {
        Require(factors, factors.Rows, 1, "factors");
        RequireBlocks(x, factors.Rows, "x");
        Require(y, x.Rows, x.Columns, "y");
        Elementwise<T, TVector, TLanes>.ScaleRows(new(factors), new(x), new(y));
        Alive(factors, x, y);
    }

    /// <inheritdoc/>
    public void Axpby(double alpha, Tensor x, double beta, Tensor y)
    {
        Require(y, x.Rows, x.Columns, "y");
        if (beta == 0)
        {
            Elementwise<T, TVector, TLanes>.Scale(T.CreateTruncating(alpha), new(x), new(y));
        }
        else
        {
            var op = new Elementwise<T, TVector, TLanes>.Combination(
                TLanes.Broadcast(T.CreateTruncating(alpha)), TLanes.Broadcast(T.CreateTruncating(beta)));
            Elementwise<T, TVector, TLanes>.Map(op, new(x), new(y), new(y));
        }

        Alive(x, y);
    }

    /// <inheritdoc/>
    public bool AllFinite(Tensor x)
    {
        bool result = Reductions<T, TVector, TLanes>.AllFinite(new(x));
        Alive(x);
        return result;
    }

    // ---- ActNorm ----

    /// <inheritdoc/>
    public void ActNormForward(Tensor x, Tensor shift, Tensor logScale, int rowsPerSample, Tensor y, Tensor logDet)
    {
        Require(shift, 1, x.Columns, "shift");
        Require(logScale, 1, x.Columns, "logScale");
        Require(y, x.Rows, x.Columns, "y");
        Require(logDet, logDet.Rows, 1, "logDet");
        Require(x, logDet.Rows * rowsPerSample, x.Columns, "x");
        ActNormKernels<T, TVector, TLanes>.Forward(new(x), new(shift), new(logScale), rowsPerSample, new(y), new(logDet));
        Alive(x, shift, logScale);
        Alive(y, logDet);
    }

    /// <inheritdoc/>
    public void ActNormInverse(Tensor y, Tensor shift, Tensor logScale, Tensor x)
    {
        Require(shift, 1, y.Columns, "shift");
        Require(logScale, 1, y.Columns, "logScale");
        Require(x, y.Rows, y.Columns, "x");
        ActNormKernels<T, TVector, TLanes>.Inverse(new(y), new(shift), new(logScale), new(x));
        Alive(y, shift, logScale);
        Alive(x);
    }

    /// <inheritdoc/>
    public void ActNormBackward(
        Tensor y, Tensor logScale, int rowsPerSample, Tensor yGradient, Tensor logDetGradient, Tensor xGradient,
        Tensor shiftGradient, Tensor logScaleGradient)
    {
        Require(logScale, 1, y.Columns, "logScale");
        Require(yGradient, y.Rows, y.Columns, "yGradient");
        Require(logDetGradient, logDetGradient.Rows, 1, "logDetGradient");
        Require(y, logDetGradient.Rows * rowsPerSample, y.Columns, "y");
        Require(xGradient, y.Rows, y.Columns, "xGradient");
        Require(shiftGradient, 1, y.Columns, "shiftGradient");
        Require(logScaleGradient, 1, y.Columns, "logScaleGradient");
        ActNormKernels<T, TVector, TLanes>.Backward(
            new(y), new(logScale), rowsPerSample, new(yGradient), new(logDetGradient), new(xGradient), new(shiftGradient),
            new(logScaleGradient));
        Alive(y, logScale, yGradient);
        Alive(logDetGradient, xGradient);
        Alive(shiftGradient, logScaleGradient);
    }

    // ---- small Jacobians ----

    /// <inheritdoc/>
    public void CompleteBasis(Tensor probe, Tensor tangents)
    {
        Require(tangents, probe.Columns * probe.Rows, probe.Columns, "tangents");
        SmallJacobians<T>.CompleteBasis(new(probe), new(tangents));
        Alive(probe, tangents);
    }

    /// <inheritdoc/>
    public void SolveJacobians(Tensor tangents, Tensor images, Tensor jacobians)
    {
        int d = tangents.Columns;
        Require(tangents, d * jacobians.Rows, d, "tangents");
        Require(images, d * jacobians.Rows, d, "images");
        Require(jacobians, jacobians.Rows, d * d, "jacobians");
        SmallJacobians<T>.Solve(new(tangents), new(images), new(jacobians));
        Alive(tangents, images, jacobians);
    }

    /// <inheritdoc/>
    public void ExactLogDet(Tensor jacobians, Tensor logDet, Tensor cotangents)
    {
        int samples = jacobians.Rows, d = cotangents.Columns;
        Require(jacobians, samples, d * d, "jacobians");
        Require(logDet, samples, 1, "logDet");
        Require(cotangents, d * samples, d, "cotangents");
        SmallJacobians<T>.ExactLogDet(new(jacobians), new(logDet), new(cotangents));
        Alive(jacobians, logDet, cotangents);
    }

    /// <inheritdoc/>
    public void SeriesLogDet(
        Tensor jacobians, Tensor probe, ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, Tensor logDet, Tensor cotangent)
    {
        int d = probe.Columns;
        Require(jacobians, probe.Rows, d * d, "jacobians");
        Require(logDet, probe.Rows, 1, "logDet");
        Require(cotangent, probe.Rows, d, "cotangent");
        RequirePairs(values, cotangents);

        SmallJacobians<T>.Series(new(jacobians), new(probe), values, cotangents, new(logDet), new(cotangent));
        Alive(jacobians, probe);
        Alive(logDet, cotangent);
    }

    // ---- weights ----

    /// <inheritdoc/>
    public void PowerIterate(Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
        Require(u, 1, w.Rows, "u");
        Require(v, 1, w.Columns, "v");
        Require(sigma, 1, 1, "sigma");
        WeightKernels<T, TVector, TLanes>.PowerIterate(new(w), iterations, tolerance, new(u), new(v), new(sigma));
        Alive(w, u, v);
        Alive(sigma);
    }

    /// <inheritdoc/>
    public void NormaliseWeight(Tensor w, Tensor sigma, double coefficient, Tensor columnScale, Tensor effective)
    {
        Require(sigma, 1, 1, "sigma");
        Require(columnScale, 1, w.Columns, "columnScale");
        Require(effective, w.Rows, w.Columns, "effective");
        WeightKernels<T, TVector, TLanes>.Normalise(
            new(w), Math.Min(1, coefficient / Scalar(sigma)), new(columnScale), new(effective));
        Alive(w, columnScale, effective);
    }

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor u, Tensor v, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
        Require(u, 1, w.Rows, "u");
        Require(v, 1, w.Columns, "v");
        Require(sigma, 1, 1, "sigma");
        Require(columnScale, 1, w.Columns, "columnScale");
        Require(gradient, w.Rows, w.Columns, "gradient");
        Require(columnGradient, 1, w.Columns, "columnGradient");
        WeightKernels<T, TVector, TLanes>.NormaliseBackward(
            new(w), new(u), new(v), Scalar(sigma), coefficient, new(columnScale), new(gradient), new(columnGradient));
        Alive(w, u, v);
        Alive(columnScale, gradient, columnGradient);
    }

    /// <inheritdoc/>
    public void ConcatenationScales(Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scales)
    {
        RequireSlices(raw, sliceWidths, scales, "scales");
        ConcatenationScales<T>.Forward(new(raw), bound, sliceWidths, new(scales));
        Alive(raw, scales);
    }

    /// <inheritdoc/>
    public void ConcatenationScalesBackward(
        Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scalesGradient, Tensor rawGradient)
    {
        RequireSlices(raw, sliceWidths, scalesGradient, "scalesGradient");
        Require(rawGradient, raw.Rows, 2, "rawGradient");
        ConcatenationScales<T>.Backward(new(raw), bound, sliceWidths, new(scalesGradient), new(rawGradient));
        Alive(raw, scalesGradient, rawGradient);
    }

    // ---- optimiser ----

    /// <inheritdoc/>
    public unsafe void Norm(Tensor x, Tensor norm)
    {
        Require(norm, 1, 1, "norm");
        *new View<T>(norm).Data = T.CreateTruncating(Math.Sqrt(Reductions<T, TVector, TLanes>.SumOfSquares(new(x))));
        Alive(x, norm);
    }

    /// <inheritdoc/>
    public unsafe void Adam(
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
        double factor = double.IsPositiveInfinity(clip) ? 1 : Math.Min(1, clip / Scalar(norm));
        OptimiserKernels<T, TVector, TLanes>.Adam(
            n, new View<T>(parameters).Data, new View<T>(gradient).Data, new View<T>(firstMoment).Data, new View<T>(secondMoment).Data,
            new View<T>(average).Data, factor, step);
        Alive(parameters, gradient, firstMoment);
        Alive(secondMoment, average, norm);
    }

    private static unsafe double Scalar(Tensor x)
    {
        double value = double.CreateTruncating(*new View<T>(x).Data);
        Alive(x);
        return value;
    }
}
