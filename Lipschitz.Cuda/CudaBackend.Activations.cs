using System.Runtime.CompilerServices;
using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>The activations.</content>
internal sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Activate(Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor y) =>
        BiasActivate(default, f, parameters, pre, valueRows, y);

    /// <inheritdoc/>
    public void ActivationSlopes(Activation f, Tensor parameters, Tensor pre, Tensor slopes)
    {
        RequireParameters(f, parameters, "parameters");
        RequireColumns(f, pre.Columns);
        Require(slopes, pre.Rows, f.SlopeColumns(pre.Columns), "slopes");
        if (f == Activation.MaxMin)
        {
            var pairs = Pass.Single(slopes.Rows, slopes.Columns);
            _context.Launch("max_min_slopes", pairs.Grid, pairs.LaneBits, pre, slopes);
        }
        else
        {
            var pass = Pass.Over(pre.Rows, pre.Columns, pre, slopes);
            _context.Launch("activation_slopes", pass.Grid, pass.LaneBits, pass.Width, (int)f, ViewOf(parameters), pre, slopes);
        }

        Alive(parameters, pre, slopes);
    }

    /// <inheritdoc/>
    public void SlopeVjp(Activation f, Tensor slopes, Tensor w, Tensor result)
    {
        RequireColumns(f, result.Columns);
        RequireBlocks(w, slopes.Rows, "w");
        Require(slopes, slopes.Rows, f.SlopeColumns(result.Columns), "slopes");
        Require(w, result.Rows, f.OutputColumns(result.Columns), "w");
        if (f == Activation.MaxMin)
        {
            var pairs = Pass.Single(slopes.Rows, slopes.Columns);
            _context.Launch("max_min_vjp", pairs.Grid, pairs.LaneBits, slopes, w, result);
        }
        else
        {
            var pass = Pass.Over(slopes.Rows, result.Columns, slopes, w, result);
            if (f == Activation.CLipSwish)
            {
                _context.Launch("pair_vjp", pass.Grid, pass.LaneBits, pass.Width, slopes, w, result);
            }
            else
            {
                _context.Launch("multiply_slopes", pass.Grid, pass.LaneBits, pass.Width, slopes, w, result);
            }
        }

        Alive(slopes, w, result);
    }

    /// <inheritdoc/>
    public void SlopeJvp(Activation f, Tensor slopes, Tensor t, Tensor result)
    {
        RequireColumns(f, t.Columns);
        RequireBlocks(t, slopes.Rows, "t");
        Require(slopes, slopes.Rows, f.SlopeColumns(t.Columns), "slopes");
        Require(result, t.Rows, f.OutputColumns(t.Columns), "result");
        if (f == Activation.MaxMin)
        {
            var pairs = Pass.Single(slopes.Rows, slopes.Columns);
            _context.Launch("max_min_jvp", pairs.Grid, pairs.LaneBits, slopes, t, result);
        }
        else
        {
            var pass = Pass.Over(slopes.Rows, t.Columns, slopes, t, result);
            if (f == Activation.CLipSwish)
            {
                _context.Launch("pair_jvp", pass.Grid, pass.LaneBits, pass.Width, slopes, t, result);
            }
            else
            {
                _context.Launch("multiply_slopes", pass.Grid, pass.LaneBits, pass.Width, slopes, t, result);
            }
        }

        Alive(slopes, t, result);
    }

    /// <inheritdoc/>
    public void ActivationBackward(
        Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor gradient, Tensor preGradient, Tensor parameterGradient)
    {
        RequireParameters(f, parameters, "parameters");
        RequireParameters(f, parameterGradient, "parameterGradient");
        RequireStacked(pre, valueRows, "pre");
        RequireColumns(f, pre.Columns);
        Require(gradient, pre.Rows, f.OutputColumns(pre.Columns), "gradient");
        Require(preGradient, pre.Rows, pre.Columns, "preGradient");
        if (f == Activation.MaxMin)
        {
            var pairs = Pass.Single(valueRows, pre.Columns / 2);
            _context.Launch("max_min_backward", pairs.Grid, pairs.LaneBits, pre, valueRows, gradient, preGradient);
        }
        else
        {
            var pass = Pass.Over(valueRows, pre.Columns, pre, gradient, preGradient);
            int count = f.ParameterCount();
            using Scratch parts = _context.Rent(Bytes<double>(pass.Blocks, 2));
            _context.Launch(
                "activation_backward", pass.Grid, pass.LaneBits, pass.Width, (int)f, ViewOf(parameters), pre, valueRows, gradient, preGradient,
                count > 0 ? parts.Address : 0);
            if (count > 0)
            {
                _context.Launch("add_parameter_gradient", Grid.Blocks(1), parts.Address, pass.Blocks, parameterGradient);
            }
        }

        Alive(parameters, pre, gradient);
        Alive(preGradient, parameterGradient);
    }

    // What follows the product in MultiplyActivate: pre += bias [1, n] in the value rows, and y as Activate. The default tensor is no bias.
    private void BiasActivate(
        Tensor bias, Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor y, [CallerMemberName] string kernel = "")
    {
        RequireParameters(f, parameters, "parameters", kernel);
        RequireStacked(pre, valueRows, "pre", kernel);
        RequireColumns(f, pre.Columns, kernel);
        Require(y, pre.Rows, f.OutputColumns(pre.Columns), "y", kernel);
        if (bias.Buffer is not null)
        {
            Require(bias, 1, pre.Columns, "bias", kernel);
        }

        if (f == Activation.MaxMin)
        {
            var pairs = Pass.Single(valueRows, pre.Columns / 2);
            _context.Launch("max_min_activate", pairs.Grid, pairs.LaneBits, ViewOf(bias), pre, valueRows, y);
        }
        else
        {
            var pass = Pass.Over(valueRows, pre.Columns, bias, pre, y);
            _context.Launch("activate", pass.Grid, pass.LaneBits, pass.Width, (int)f, ViewOf(parameters), ViewOf(bias), pre, valueRows, y);
        }

        Alive(bias, parameters);
        Alive(pre, y);
    }

    // A tensor that may be missing; kernels see that by its null address.
    private static DeviceView ViewOf(Tensor tensor) => tensor.Buffer is null ? default(DeviceView) : tensor;
}
