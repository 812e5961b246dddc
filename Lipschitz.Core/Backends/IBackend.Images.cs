using Lipschitz.Tensors;

namespace Lipschitz.Backends;

/// <content>
/// Pictures. A batch is [B pixels, channels], pixel by pixel, row by row, picture by picture; read as [B, pixels channels] it is the same
/// memory. The weight of a convolution is [outputs taps, inputs]: row <c>o taps + (ky kernel + kx)</c> holds the numbers that output
/// channel o gives to the pixel at offset (ky - kernel/2, kx - kernel/2), so that a range of input channels is a column range.
/// </content>
public partial interface IBackend
{
    // ---- convolution ----

    /// <summary>Room for a packed convolution, filled with zeros.</summary>
    PackedConvolution CreatePackedConvolution(ConvolutionShape shape, int inputs, int outputs);

    /// <summary>
    /// Input channels inputStart.. of the packed convolution &lt;- the convolution with the given weight, or its adjoint. Not adjoint: weight
    /// [outputs taps, k] for k input channels. Adjoint: weight [k taps, outputs], the k outputs of the convolution being inputs here.
    /// </summary>
    void PackConvolution(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart = 0);

    /// <summary>y &lt;- w * x + beta y, zeros outside the picture; with beta = 0 the old y is not read. x [B pixels, inputs], y [B pixels, outputs].</summary>
    void Convolve(Tensor x, PackedConvolution w, double beta, Tensor y);

    /// <summary>As <see cref="MultiplyActivate"/> with a convolution. All row counts are multiples of the pixels.</summary>
    void ConvolveActivate(
        Tensor x, PackedConvolution w, Tensor bias, Activation f, Tensor parameters, int valueRows, Tensor pre, Tensor y)
    {
        Convolve(x, w, 0, pre);
        AddRow(bias, pre.RowRange(0, valueRows));
        Activate(f, parameters, pre, valueRows, y);
    }

    /// <summary>
    /// gradient += the derivative of <c>sum(yGradient * (w * x))</c> with respect to w. x [B pixels, inputs], yGradient [B pixels, outputs],
    /// gradient [outputs taps, inputs].
    /// </summary>
    void ConvolutionWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, Tensor gradient);

    /// <summary>
    /// As <see cref="PowerIterate"/>, of the operator that the convolution is on one picture. w [outputs taps, inputs],
    /// u [1, pixels outputs], v [1, pixels inputs], sigma [1, 1].
    /// </summary>
    void PowerIterateConvolution(ConvolutionShape shape, Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma);

    /// <summary>
    /// As <see cref="NormaliseWeightBackward(Tensor, Tensor, Tensor, Tensor, double, Tensor, Tensor, Tensor)"/> with the derivative of sigma with respect to w
    /// given, sigmaGradient [m, n], where it is not u v'.
    /// </summary>
    void NormaliseWeightBackward(
        Tensor w, Tensor sigmaGradient, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient);

    // ---- pictures ----

    /// <summary>
    /// y [B, count] &lt;- x [B, count] with each 2 x 2 pixels made one: channel <c>4 c + 2 dy + dx</c> of the new pixel is channel c of the
    /// pixel at offset (dy, dx). shape is that of x; height and width even.
    /// </summary>
    void Squeeze(Tensor x, ImageShape shape, Tensor y);

    /// <summary>x &lt;- the picture whose <see cref="Squeeze"/> is y; also its adjoint. shape is that of x.</summary>
    void Unsqueeze(Tensor y, ImageShape shape, Tensor x);

    /// <summary>
    /// With <c>s = alpha + (1 - 2 alpha) x</c>: y &lt;- log(s / (1 - s)), logDet_i += sum_j log((1 - 2 alpha) / (s (1 - s))). x, y [B, n], logDet [B, 1].
    /// </summary>
    void LogitForward(Tensor x, double alpha, Tensor y, Tensor logDet);

    /// <summary>x &lt;- (sigmoid(y) - alpha) / (1 - 2 alpha). x may be y.</summary>
    void LogitInverse(Tensor y, double alpha, Tensor x);

    /// <summary>
    /// xGradient &lt;- the derivative of sum(yGradient y) + sum(logDetGradient logDet) with respect to x, from y [B, n].
    /// logDetGradient [B, 1]; xGradient may be yGradient.
    /// </summary>
    void LogitBackward(Tensor y, double alpha, Tensor yGradient, Tensor logDetGradient, Tensor xGradient);

    // ---- classes ----

    /// <summary>
    /// loss_i &lt;- -log softmax(logits_i)[labels_i] in nats; gradient &lt;- its derivative with respect to the logits. logits, gradient [B, K],
    /// labels [B, 1] whole numbers in 0..K-1, loss [B, 1].
    /// </summary>
    void SoftmaxCrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor gradient);
}
