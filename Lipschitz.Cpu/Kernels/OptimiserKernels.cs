using System.Numerics;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Adam with an average of the parameters: one pass over five arrays.</summary>
internal static unsafe class OptimiserKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>One step for n numbers, the gradient times <paramref name="factor"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adam(nint n, T* parameters, T* gradient, T* first, T* second, T* average, double factor, in AdamStep step)
    {
        var constants = new Constants(factor, step);
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            Step(in constants, TLanes.Count, parameters + j, gradient + j, first + j, second + j, average + j);
        }

        if (j < n)
        {
            Step(in constants, n - j, parameters + j, gradient + j, first + j, second + j, average + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(in Constants k, nint count, T* parameters, T* gradient, T* first, T* second, T* average)
    {
        TVector g = TLanes.Multiply(TLanes.Broadcast(k.Factor), Elementwise<T, TVector, TLanes>.Load(gradient, count));
        TVector m = TLanes.MultiplyAdd(
            TLanes.Broadcast(k.Beta1), Elementwise<T, TVector, TLanes>.Load(first, count),
            TLanes.Multiply(TLanes.Broadcast(k.Rest1), g));
        TVector v = TLanes.MultiplyAdd(
            TLanes.Broadcast(k.Beta2), Elementwise<T, TVector, TLanes>.Load(second, count),
            TLanes.Multiply(TLanes.Multiply(TLanes.Broadcast(k.Rest2), g), g));
        TVector root = TLanes.SquareRoot(TLanes.Multiply(v, TLanes.Broadcast(k.Inverse2)));
        TVector change = TLanes.Divide(
            TLanes.Multiply(TLanes.Broadcast(k.Rate), m), TLanes.Add(root, TLanes.Broadcast(k.Epsilon)));
        TVector p = TLanes.Subtract(Elementwise<T, TVector, TLanes>.Load(parameters, count), change);
        TVector a = TLanes.MultiplyAdd(
            TLanes.Broadcast(k.Decay), Elementwise<T, TVector, TLanes>.Load(average, count),
            TLanes.Multiply(TLanes.Broadcast(k.RestDecay), p));
        Elementwise<T, TVector, TLanes>.Store(m, first, count);
        Elementwise<T, TVector, TLanes>.Store(v, second, count);
        Elementwise<T, TVector, TLanes>.Store(p, parameters, count);
        Elementwise<T, TVector, TLanes>.Store(a, average, count);
    }

    private readonly struct Constants(double factor, in AdamStep step)
    {
        public readonly T Factor = T.CreateTruncating(factor);
        public readonly T Beta1 = T.CreateTruncating(step.Beta1);
        public readonly T Rest1 = T.CreateTruncating(1 - step.Beta1);
        public readonly T Beta2 = T.CreateTruncating(step.Beta2);
        public readonly T Rest2 = T.CreateTruncating(1 - step.Beta2);
        public readonly T Rate = T.CreateTruncating(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step)));
        public readonly T Inverse2 = T.CreateTruncating(1 / (1 - Math.Pow(step.Beta2, step.Step)));
        public readonly T Epsilon = T.CreateTruncating(step.Epsilon);
        public readonly T Decay = T.CreateTruncating(step.AverageDecay);
        public readonly T RestDecay = T.CreateTruncating(1 - step.AverageDecay);
    }
}
