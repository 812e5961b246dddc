using System.Numerics;
using Lipschitz.Backends;
using Lipschitz.Cpu.Kernels.Convolution;

namespace Lipschitz.Cpu;

/// <summary>A packed convolution and its memory.</summary>
internal sealed unsafe class CpuPackedConvolution<T>(ConvolutionPlan plan, int length)
    : PackedConvolution(plan.Shape, plan.Inputs, plan.Outputs)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly HostBuffer<T> _buffer = new(length);

    /// <summary>How it is applied.</summary>
    public ConvolutionPlan Plan { get; } = plan;

    /// <summary>The first number of the packed weight; valid while this object lives.</summary>
    public T* Data => (T*)_buffer.Address;
}
