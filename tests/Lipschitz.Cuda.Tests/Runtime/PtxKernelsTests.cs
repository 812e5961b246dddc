using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests.Runtime;

public class PtxKernelsTests
{
    [Fact]
    public void Names_and_sizes_are_read()
    {
        Dictionary<string, int[]> kernels = PtxKernels.Parse("""
            .version 7.5
            // .entry comment(.param .u32 a)
            .visible .entry all(
            	.param .align 8 .b8 all_param_0[24],
            	.param .u64 .ptr .global .align 1 all_param_1, // an address
            	.param .f32 all_param_2,
            	.param .f64 all_param_3,
            	.param .u8 all_param_4,
            	.param .align 4 .b8 all_param_5[ 8 ]
            )
            .maxntid 256, 1, 1
            { ld.param.u64 %rd1, [all_param_1]; ret; }
            .entry none()
            { ret; }
            .func (.param .b32 r) inner(.param .b32 x) { ret; }
            """);
        Assert.Equal(["all", "none"], kernels.Keys);
        Assert.Equal([24, 8, 4, 8, 1, 8], kernels["all"]);
        Assert.Empty(kernels["none"]);
    }

    [Fact]
    public void The_embedded_text_has_kernels()
    {
        string ptx = KernelModule.EmbeddedPtx();
        Assert.SkipWhen(ptx.Length == 0, "This build has no kernels.ptx.");
        Assert.Contains("add_parts", PtxKernels.Parse(ptx).Keys);
    }
}
