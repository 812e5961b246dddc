using System.Numerics;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Chooses, once a call, the specialised passes of an <see cref="Activation"/>.</summary>
internal static unsafe class ActivationKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>As <see cref="IBackend.Activate"/>.</summary>
    public static void Activate(Activation f, View<T> parameters, View<T> pre, int valueRows, View<T> y)
    {
        switch (f)
        {
            case Activation.CLipSwish:
                CLipSwishKernels<T, TVector, TLanes>.Activate(
                    CLipSwishKernels<T, TVector, TLanes>.Half(Parameter(parameters, 0)), pre, valueRows, y);
                break;
            case Activation.MaxMin:
                MaxMinKernels<T, TVector, TLanes>.Activate(pre, valueRows, y);
                break;
            default:
                var call = new ActivateCall(pre, valueRows, y);
                Dispatch(f, parameters, ref call);
                break;
        }
    }

    /// <summary>As <see cref="IBackend.ActivationSlopes"/>.</summary>
    public static void Slopes(Activation f, View<T> parameters, View<T> pre, View<T> slopes)
    {
        switch (f)
        {
            case Activation.CLipSwish:
                CLipSwishKernels<T, TVector, TLanes>.Slopes(
                    CLipSwishKernels<T, TVector, TLanes>.Half(Parameter(parameters, 0)), pre, slopes);
                break;
            case Activation.MaxMin:
                MaxMinKernels<T, TVector, TLanes>.Slopes(pre, slopes);
                break;
            default:
                var call = new SlopesCall(pre, slopes);
                Dispatch(f, parameters, ref call);
                break;
        }
    }

    /// <summary>As <see cref="IBackend.SlopeVjp"/>.</summary>
    public static void Vjp(Activation f, View<T> slopes, View<T> w, View<T> result)
    {
        switch (f)
        {
            case Activation.CLipSwish:
                CLipSwishKernels<T, TVector, TLanes>.Vjp(slopes, w, result);
                break;
            case Activation.MaxMin:
                MaxMinKernels<T, TVector, TLanes>.Vjp(slopes, w, result);
                break;
            default:
                MultiplySlopes(slopes, w, result);
                break;
        }
    }

    /// <summary>As <see cref="IBackend.SlopeJvp"/>.</summary>
    public static void Jvp(Activation f, View<T> slopes, View<T> t, View<T> result)
    {
        switch (f)
        {
            case Activation.CLipSwish:
                CLipSwishKernels<T, TVector, TLanes>.Jvp(slopes, t, result);
                break;
            case Activation.MaxMin:
                MaxMinKernels<T, TVector, TLanes>.Jvp(slopes, t, result);
                break;
            default:
                MultiplySlopes(slopes, t, result);
                break;
        }
    }

    /// <summary>result &lt;- slopes * w; row i uses slope row i mod B.</summary>
    public static void MultiplySlopes(View<T> slopes, View<T> w, View<T> result)
    {
        for (int start = 0; start < w.Rows; start += slopes.Rows)
        {
            Elementwise<T, TVector, TLanes>.Map(
                default(Elementwise<T, TVector, TLanes>.Product), slopes, w.RowRange(start, slopes.Rows),
                result.RowRange(start, slopes.Rows));
        }
    }

    /// <summary>As <see cref="IBackend.ActivationBackward"/>.</summary>
    public static void Backward(
        Activation f, View<T> parameters, View<T> pre, int valueRows, View<T> gradient, View<T> preGradient, View<T> parameterGradient)
    {
        double gradient0 = 0, gradient1 = 0;
        switch (f)
        {
            case Activation.CLipSwish:
                CLipSwishKernels<T, TVector, TLanes>.Backward(
                    CLipSwishKernels<T, TVector, TLanes>.Half(Parameter(parameters, 0)), pre, valueRows, gradient, preGradient,
                    ref gradient0);
                break;
            case Activation.MaxMin:
                MaxMinKernels<T, TVector, TLanes>.Backward(pre, valueRows, gradient, preGradient);
                break;
            default:
                var call = new BackwardCall(pre, valueRows, gradient, preGradient);
                Dispatch(f, parameters, ref call);
                (gradient0, gradient1) = (call.Gradient0, call.Gradient1);
                break;
        }

        int count = f.ParameterCount();
        if (count > 0)
        {
            parameterGradient.Data[0] += T.CreateTruncating(gradient0);
        }

        if (count > 1)
        {
            parameterGradient.Data[1] += T.CreateTruncating(gradient1);
        }
    }

    private static double Parameter(View<T> parameters, int i) => double.CreateTruncating(parameters.Data[i]);

    private static void Dispatch<TCall>(Activation f, View<T> parameters, ref TCall call)
        where TCall : struct, ICall
    {
        switch (f)
        {
            case Activation.Identity:
                call.Run(default(Identity<T, TVector, TLanes>));
                break;
            case Activation.ReLU:
                call.Run(default(ReLU<T, TVector, TLanes>));
                break;
            case Activation.Elu:
                call.Run(default(Elu<T, TVector, TLanes>));
                break;
            case Activation.Tanh:
                call.Run(default(Tanh<T, TVector, TLanes>));
                break;
            case Activation.Softplus:
                call.Run(default(Softplus<T, TVector, TLanes>));
                break;
            case Activation.LipSwish:
                call.Run(new LipSwish<T, TVector, TLanes>(Parameter(parameters, 0), Activations.LipSwishDivisor));
                break;
            case Activation.LeakyLSwish:
                call.Run(new LeakyLSwish<T, TVector, TLanes>(Parameter(parameters, 0), Parameter(parameters, 1)));
                break;
            case Activation.LipschitzCube:
                call.Run(default(LipschitzCube<T, TVector, TLanes>));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(f), f, "Unknown activation.");
        }
    }

    /// <summary>A pass with its arguments, waiting for the function.</summary>
    private interface ICall
    {
        void Run<TF>(TF f)
            where TF : struct, IActivation<TVector>;
    }

    private readonly struct ActivateCall(View<T> pre, int valueRows, View<T> y) : ICall
    {
        public void Run<TF>(TF f)
            where TF : struct, IActivation<TVector> => ActivationPasses<T, TVector, TLanes>.Activate(f, pre, valueRows, y);
    }

    private readonly struct SlopesCall(View<T> pre, View<T> slopes) : ICall
    {
        public void Run<TF>(TF f)
            where TF : struct, IActivation<TVector> => ActivationPasses<T, TVector, TLanes>.Slopes(f, pre, slopes);
    }

    private struct BackwardCall(View<T> pre, int valueRows, View<T> gradient, View<T> preGradient) : ICall
    {
        public double Gradient0;
        public double Gradient1;

        public void Run<TF>(TF f)
            where TF : struct, IActivation<TVector> =>
            ActivationPasses<T, TVector, TLanes>.Backward(f, pre, valueRows, gradient, preGradient, ref Gradient0, ref Gradient1);
    }
}
