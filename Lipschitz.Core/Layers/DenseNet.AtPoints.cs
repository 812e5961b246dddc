using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <content>Evaluations.</content>
public sealed partial class DenseNet
{
    private sealed class AtPoints(DenseNet net) : Linearization
    {
        private readonly IBackend _backend = net._backend;
        private readonly Tensor[] _pre = new Tensor[net.Depth];
        private readonly Tensor[] _slopes = new Tensor[net.Depth];
        private Tensor _input;
        private Tensor _slices; // of points; those of pictures are made again, which is cheap beside convolutions and halves the records
        private Tensor _output;

        public override Tensor Output => _output;

        private int ValuePixels => ValueRows * net._pixels;

        private int AdjointWidth => (net.Depth * net._growth) + net._outputs;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            ValueRows = valueRows;
            _input = input;
            int rows = input.Rows * net._pixels;
            _output = workspace.Rent(input.Rows, net.OutputWidth);
            for (int i = 0; i < net.Depth; i++)
            {
                _pre[i] = workspace.Rent(rows, net._growth);
            }

            WorkspaceMark records = workspace.Mark();
            _slices = workspace.Rent(rows, net._starts[^1]);
            _backend.Copy(net.ByPixel(input), _slices.ColumnRange(0, net._channels));
            for (int i = 0; i < net.Depth; i++)
            {
                net.DenseStep(i, _slices, ValuePixels, _pre[i]);
            }

            net.FinalStep(_slices, ValuePixels, net.ByPixel(_output));
            if (net._convolutions is not null)
            {
                workspace.Release(records);
            }
        }

        public override void PrepareProducts(Workspace workspace)
        {
            for (int i = 0; i < net.Depth; i++)
            {
                _slopes[i] = workspace.Rent(ValuePixels, net.Activation.SlopeColumns(net._growth));
                _backend.ActivationSlopes(net.Activation, net._scalars[i].Value, _pre[i].RowRange(0, ValuePixels), _slopes[i]);
            }
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            int rows = w.Rows * net._pixels;
            Tensor adjoint = workspace.Rent(rows, AdjointWidth);
            _backend.Copy(net.ByPixel(w), net.AdjointOutput(adjoint));
            for (int i = net.Depth - 1; i >= 0; i--)
            {
                if (net._convolutions is null && net.Activation.IsElementwise() && w.Rows == ValueRows)
                {
                    int start = (i + 1) * net._growth;
                    _backend.MultiplySlopes(
                        adjoint.ColumnRange(start, AdjointWidth - start), net._adjoint[i + 1], _slopes[i], net.AdjointSlice(adjoint, i));
                }
                else
                {
                    WorkspaceMark inner = workspace.Mark();
                    Tensor sliceGradient = workspace.Rent(rows, net._adjoint[i + 1].Columns);
                    net.SliceGradient(i + 1, adjoint, sliceGradient);
                    _backend.SlopeVjp(net.Activation, _slopes[i], sliceGradient, net.AdjointSlice(adjoint, i));
                    workspace.Release(inner);
                }
            }

            net.SliceGradient(0, adjoint, net.ByPixel(result));
            workspace.Release(mark);
        }

        public override void Jvp(Tensor t, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            int rows = t.Rows * net._pixels;
            Tensor slices = workspace.Rent(rows, net._starts[^1]);
            Tensor pre = workspace.Rent(rows, net._growth);
            _backend.Copy(net.ByPixel(t), slices.ColumnRange(0, net._channels));
            for (int i = 0; i < net.Depth; i++)
            {
                int start = net._starts[i + 1];
                if (net._convolutions is { } convolutions)
                {
                    _backend.Convolve(slices.ColumnRange(0, start), convolutions.Forward(i), 0, pre);
                }
                else
                {
                    _backend.Multiply(slices.ColumnRange(0, start), net._forward[i], 0, pre);
                }

                _backend.SlopeJvp(net.Activation, _slopes[i], pre, slices.ColumnRange(start, net._starts[i + 2] - start));
            }

            _backend.Multiply(slices, net._forward[net.Depth], 0, net.ByPixel(result));
            workspace.Release(mark);
        }

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            int rows = outputGradient.Rows * net._pixels;
            Tensor slices = net._convolutions is null ? _slices.RowRange(0, rows) : SlicesAgain(rows, workspace);
            Tensor adjoint = workspace.Rent(rows, AdjointWidth);
            _backend.Copy(net.ByPixel(outputGradient), net.AdjointOutput(adjoint));
            AccumulateWeights(net.Depth, net.AdjointOutput(adjoint), slices, gradient);
            for (int i = net.Depth - 1; i >= 0; i--)
            {
                WorkspaceMark inner = workspace.Mark();
                Tensor sliceGradient = workspace.Rent(rows, net._adjoint[i + 1].Columns);
                net.SliceGradient(i + 1, adjoint, sliceGradient);
                _backend.ActivationBackward(
                    net.Activation, net._scalars[i].Value, _pre[i].RowRange(0, rows), ValuePixels, sliceGradient,
                    net.AdjointSlice(adjoint, i), net._scalars[i].GradientIn(gradient));
                workspace.Release(inner);
                AccumulateWeights(i, net.AdjointSlice(adjoint, i), slices, gradient);
            }

            net.SliceGradient(0, adjoint, net.ByPixel(inputGradient));
            workspace.Release(mark);
        }

        private Tensor SlicesAgain(int rows, Workspace workspace)
        {
            Tensor slices = workspace.Rent(rows, net._starts[^1]);
            _backend.Copy(net.ByPixel(_input).RowRange(0, rows), slices.ColumnRange(0, net._channels));
            for (int i = 0; i < net.Depth; i++)
            {
                Tensor slice = slices.ColumnRange(net._starts[i + 1], net._starts[i + 2] - net._starts[i + 1]);
                _backend.Activate(net.Activation, net._scalars[i].Value, _pre[i].RowRange(0, rows), ValuePixels, slice);
            }

            return slices;
        }

        private void AccumulateWeights(int i, Tensor preGradient, Tensor slices, Tensor gradient)
        {
            Tensor inputs = slices.ColumnRange(0, net._starts[i + 1]), weightGradient = net._weights[i].Weight.In(gradient);
            if (i < net.Depth && net.Convolution is { } shape)
            {
                _backend.ConvolutionWeightGradient(shape, inputs, preGradient, weightGradient);
            }
            else
            {
                _backend.Multiply(preGradient, true, inputs, false, 1, weightGradient);
            }

            _backend.ColumnSums(preGradient.RowRange(0, ValuePixels), 1, net._biases[i].In(gradient));
        }
    }
}
