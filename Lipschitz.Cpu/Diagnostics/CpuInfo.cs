using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Lipschitz.Cpu.Diagnostics;

/// <summary>What the processor is and which of its registers are used: for <c>doctor</c> and <c>bench</c>.</summary>
/// <param name="Processor">The processor's own name, or the architecture where it tells none.</param>
/// <param name="LogicalProcessors">The processors this process may use.</param>
/// <param name="Width">The width of registers that <see cref="SimdWidth.Best"/> picks.</param>
/// <param name="HasFusedMultiplyAdd">Whether multiply-adds are one instruction (x86 only tells).</param>
public sealed record CpuInfo(string Processor, int LogicalProcessors, SimdWidth Width, bool HasFusedMultiplyAdd)
{
    /// <summary>Reads it from this machine.</summary>
    public static CpuInfo Read() => new(
        ProcessorName(), Environment.ProcessorCount, CpuBackend.BestWidth, Fma.IsSupported || System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported);

    /// <summary>The brand string of CPUID leaves 0x80000002 to 0x80000004, or the model name that Linux gives.</summary>
    private static string ProcessorName()
    {
        if (X86Base.IsSupported && (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax >= 0x80000004)
        {
            Span<int> words = stackalloc int[12];
            for (int i = 0; i < 3; i++)
            {
                (words[4 * i], words[(4 * i) + 1], words[(4 * i) + 2], words[(4 * i) + 3]) =
                    X86Base.CpuId(unchecked((int)0x80000002) + i, 0);
            }

            string name = Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words)).TrimEnd('\0').Trim();
            if (name.Length > 0)
            {
                return name;
            }
        }

        const string linux = "/proc/cpuinfo";
        if (File.Exists(linux))
        {
            foreach (string line in File.ReadLines(linux))
            {
                if (line.StartsWith("model name", StringComparison.Ordinal) && line.Contains(':'))
                {
                    return line[(line.IndexOf(':') + 1)..].Trim();
                }
            }
        }

        return RuntimeInformation.ProcessArchitecture.ToString();
    }
}
