using System.Numerics;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Squeezing, logit, cross-entropy: once a step or a few times, so plain loops; what is logarithm or exponential, in double.</summary>
internal static unsafe class PictureKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>squeezed &lt;- unsqueezed with 2 x 2 pixels made one, or back. shape is that of the unsqueezed picture.</summary>
    public static void Squeeze(View<T> unsqueezed, ImageShape shape, View<T> squeezed, bool isBack)
    {
        int channels = shape.Channels;
        for (int i = 0; i < unsqueezed.Rows; i++)
        {
            T* pixel = unsqueezed.Row(i);
            for (int row = 0; row < shape.Height; row++)
            {
                for (int column = 0; column < shape.Width; column++, pixel += channels)
                {
                    T* target = squeezed.Row(i) + (4 * (nint)channels * (((row / 2) * (shape.Width / 2)) + (column / 2)));
                    target += (2 * (row % 2)) + (column % 2);
                    if (isBack)
                    {
                        for (int c = 0; c < channels; c++)
                        {
                            pixel[c] = target[4 * c];
                        }
                    }
                    else
                    {
                        for (int c = 0; c < channels; c++)
                        {
                            target[4 * c] = pixel[c];
                        }
                    }
                }
            }
        }
    }

    /// <summary>y &lt;- log(s/(1 - s)) with s = alpha + (1 - 2 alpha) x; logDet_i += the sum of the logarithms of the slopes.</summary>
    public static void LogitForward(View<T> x, double alpha, View<T> y, View<T> logDet)
    {
        double range = 1 - (2 * alpha);
        for (int i = 0; i < x.Rows; i++)
        {
            T* from = x.Row(i), to = y.Row(i);
            double sum = 0;
            for (int j = 0; j < x.Columns; j++)
            {
                double s = alpha + (range * double.CreateTruncating(from[j]));
                double log = Math.Log(s), rest = Math.Log(1 - s);
                to[j] = T.CreateTruncating(log - rest);
                sum -= log + rest;
            }

            double old = double.CreateTruncating(*logDet.Row(i));
            *logDet.Row(i) = T.CreateTruncating(old + sum + (x.Columns * Math.Log(range)));
        }
    }

    /// <summary>x &lt;- (sigmoid(y) - alpha)/(1 - 2 alpha).</summary>
    public static void LogitInverse(View<T> y, double alpha, View<T> x)
    {
        for (int i = 0; i < y.Rows; i++)
        {
            T* from = y.Row(i), to = x.Row(i);
            for (int j = 0; j < y.Columns; j++)
            {
                double s = 1 / (1 + Math.Exp(-double.CreateTruncating(from[j])));
                to[j] = T.CreateTruncating((s - alpha) / (1 - (2 * alpha)));
            }
        }
    }

    /// <summary>xGradient &lt;- dy/dx (yGradient + logDetGradient (2 s - 1)).</summary>
    public static void LogitBackward(View<T> y, double alpha, View<T> yGradient, View<T> logDetGradient, View<T> xGradient)
    {
        for (int i = 0; i < y.Rows; i++)
        {
            T* from = y.Row(i), gradient = yGradient.Row(i), to = xGradient.Row(i);
            double ofLogDet = double.CreateTruncating(*logDetGradient.Row(i));
            for (int j = 0; j < y.Columns; j++)
            {
                // With e = exp(-|y|): s (1 - s) = e/(1 + e)^2 without cancellation, and |2 s - 1| = (1 - e)/(1 + e).
                double value = double.CreateTruncating(from[j]);
                double e = Math.Exp(-Math.Abs(value)), sum = 1 + e;
                double difference = Math.CopySign((1 - e) / sum, value);
                double slope = (1 - (2 * alpha)) * sum * sum / e;
                to[j] = T.CreateTruncating(slope * (double.CreateTruncating(gradient[j]) + (ofLogDet * difference)));
            }
        }
    }

    /// <summary>loss_i &lt;- -log softmax(logits_i)[label_i], and its derivative.</summary>
    public static void SoftmaxCrossEntropy(View<T> logits, View<T> labels, View<T> loss, View<T> gradient)
    {
        int classes = logits.Columns;
        for (int i = 0; i < logits.Rows; i++)
        {
            T* x = logits.Row(i), g = gradient.Row(i);
            int label = int.CreateSaturating(*labels.Row(i));
            if ((uint)label >= (uint)classes)
            {
                throw new ArgumentException($"SoftmaxCrossEntropy: label {*labels.Row(i)} of row {i} is none of the {classes} classes.", nameof(labels));
            }

            double largest = double.NegativeInfinity, sum = 0;
            for (int j = 0; j < classes; j++)
            {
                largest = Math.Max(largest, double.CreateTruncating(x[j])); // NaN comes through
            }

            for (int j = 0; j < classes; j++)
            {
                sum += Math.Exp(double.CreateTruncating(x[j]) - largest);
            }

            *loss.Row(i) = T.CreateTruncating(Math.Log(sum) + largest - double.CreateTruncating(x[label]));
            for (int j = 0; j < classes; j++)
            {
                double p = Math.Exp(double.CreateTruncating(x[j]) - largest) / sum;
                g[j] = T.CreateTruncating(p - (j == label ? 1 : 0));
            }
        }
    }
}
