using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>Pictures, classes.</content>
internal sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Squeeze(Tensor x, ImageShape shape, Tensor y)
    {
        Require(x, x.Rows, shape.Count, "x");
        Require(y, x.Rows, shape.Squeezed.Count, "y");
        LaunchSqueeze(x, shape, y, isBack: false);
    }

    /// <inheritdoc/>
    public void Unsqueeze(Tensor y, ImageShape shape, Tensor x)
    {
        Require(x, y.Rows, shape.Count, "x");
        Require(y, y.Rows, shape.Squeezed.Count, "y");
        LaunchSqueeze(x, shape, y, isBack: true);
    }

    /// <inheritdoc/>
    public void LogitForward(Tensor x, double alpha, Tensor y, Tensor logDet)
    {
        Require(y, x.Rows, x.Columns, "y");
        Require(logDet, x.Rows, 1, "logDet");
        var pass = Pass.Rows(x.Rows, x.Columns);
        _context.Launch("logit_forward", pass.Grid, pass.LaneBits, alpha, x, y, logDet);
        Alive(x, y, logDet);
    }

    /// <inheritdoc/>
    public void LogitInverse(Tensor y, double alpha, Tensor x)
    {
        Require(x, y.Rows, y.Columns, "x");
        var pass = Pass.Over(x.Rows, x.Columns, y, x);
        _context.Launch("logit_inverse", pass.Grid, pass.LaneBits, pass.Width, (float)alpha, (float)(1 / (1 - (2 * alpha))), y, x);
        Alive(x, y);
    }

    /// <inheritdoc/>
    public void LogitBackward(Tensor y, double alpha, Tensor yGradient, Tensor logDetGradient, Tensor xGradient)
    {
        Require(yGradient, y.Rows, y.Columns, "yGradient");
        Require(logDetGradient, y.Rows, 1, "logDetGradient");
        Require(xGradient, y.Rows, y.Columns, "xGradient");
        var pass = Pass.Over(y.Rows, y.Columns, y, yGradient, xGradient);
        _context.Launch(
            "logit_backward", pass.Grid, pass.LaneBits, pass.Width, (float)(1 - (2 * alpha)), y, yGradient, logDetGradient, xGradient);
        Alive(y, yGradient, logDetGradient);
        Alive(xGradient);
    }

    // ---- classes ----

    /// <inheritdoc/>
    /// <remarks>Labels lie on the device, so one that is none of the classes cannot be refused here; its loss and gradient are NaN.</remarks>
    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor gradient)
    {
        Require(labels, logits.Rows, 1, "labels");
        Require(loss, logits.Rows, 1, "loss");
        Require(gradient, logits.Rows, logits.Columns, "gradient");
        var pass = Pass.Rows(logits.Rows, logits.Columns);
        _context.Launch("softmax_cross_entropy", pass.Grid, pass.LaneBits, logits, labels, loss, gradient);
        Alive(logits, labels, loss);
        Alive(gradient);
    }

    private void LaunchSqueeze(Tensor whole, ImageShape shape, Tensor squeezed, bool isBack)
    {
        var pass = Pass.Single(whole.Rows, whole.Columns);
        _context.Launch("squeeze", pass.Grid, pass.LaneBits, shape.Width, shape.Channels, isBack ? 1 : 0, whole, squeezed);
        Alive(whole, squeezed);
    }
}
