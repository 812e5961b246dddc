using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Lipschitz.Architecture.Tests;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests;

/// <summary>The PTX that the assembly carries: made of the present sources, complete, and loadable without anything else.</summary>
public partial class PtxTests
{
    private const string Remedy = "run tools/build-ptx.sh and build again";
    private static readonly string s_ptx = KernelModule.EmbeddedPtx();

    [Fact]
    public void The_PTX_was_made_of_the_present_sources()
    {
        string folder = Path.Combine(Repository.Root, "Lipschitz.Cuda", "Kernels");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in Directory.GetFiles(folder).Where(path => Path.GetExtension(path) is ".cu" or ".cuh").Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(File.ReadAllText(path).Replace("\r", "", StringComparison.Ordinal)));
        }

        string expected = Convert.ToHexStringLower(hash.GetHashAndReset());
        Assert.True(FirstLine().StartsWith($"// sources {expected}, compiler ", StringComparison.Ordinal), $"kernels.ptx is stale: {Remedy}.");
    }

    [Fact]
    public void Compiling_the_sources_again_gives_the_same_bytes()
    {
        string compiler = Environment.GetEnvironmentVariable("CLANG") is { Length: > 0 } given ? given : "clang-14";
        string? version = Run(compiler, "--version")?.Split('\n')[0].TrimEnd();
        string was = FirstLine().Split(", compiler ")[1];
        Assert.SkipWhen(version is null, $"{compiler} is not installed; only the hash of the sources was compared.");
        Assert.SkipWhen(version != was, $"{compiler} is {version}, but the PTX was made by {was}.");
        string again = Path.GetTempFileName();
        try
        {
            Assert.NotNull(Run("sh", Path.Combine(Repository.Root, "tools", "build-ptx.sh"), again));
            Assert.True(File.ReadAllText(again) == s_ptx, $"kernels.ptx is not what the compiler makes of the sources: {Remedy}.");
        }
        finally
        {
            File.Delete(again);
        }
    }

    [Fact]
    public void The_PTX_needs_no_more_than_a_device_of_capability_8()
    {
        Assert.Matches(@"(?m)^\.version 7\.5$", s_ptx);
        Assert.Matches(@"(?m)^\.target sm_80$", s_ptx);
        Assert.Matches(@"(?m)^\.address_size 64$", s_ptx);
        Assert.DoesNotContain(".extern", s_ptx);
    }

    [Fact]
    public void What_a_thread_keeps_lies_in_registers()
    {
        // An array that is indexed by a variable would lie in memory of its own for each thread.
        Assert.DoesNotContain(".local", s_ptx);
    }

    [Fact]
    public void Every_block_fits_into_the_shared_memory_that_any_device_gives()
    {
        string[] bodies = s_ptx.Split(".entry ");
        Dictionary<string, int> sizes = SharedArray().Matches(s_ptx).ToDictionary(
            match => match.Groups["name"].Value,
            match => int.Parse(match.Groups["count"].ValueSpan) * int.Parse(match.Groups["bits"].ValueSpan) / 8);
        Assert.NotEmpty(sizes);
        foreach (string body in bodies.Skip(1))
        {
            HashSet<string> words = [.. Word().Matches(body).Select(match => match.Value)];
            int bytes = sizes.Where(size => words.Contains(size.Key)).Sum(size => size.Value);
            Assert.True(bytes <= 48 * 1024, $"{body.Split('(')[0]} has {bytes} bytes of shared memory; more than 48 KiB must be asked for.");
        }
    }

    [Fact]
    public void Every_kernel_is_launched_and_every_launched_kernel_exists()
    {
        string text = string.Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "Lipschitz.Cuda"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !Repository.Relative(path).Split('/').Any(part => part is "bin" or "obj"))
            .Select(File.ReadAllText));
        string[] kernels = [.. PtxKernels.Parse(s_ptx).Keys.Order(StringComparer.Ordinal)];
        Assert.Equal(kernels, kernels.Distinct());

        // The name may have been chosen before the launch, so for this direction any mention will do.
        HashSet<string> mentioned = [.. Literal().Matches(text).Select(match => match.Groups["name"].Value)];
        Assert.Equal([], kernels.Where(kernel => !mentioned.Contains(kernel)));

        string[] launched = [.. Launched().Matches(text).Select(match => match.Groups["name"].Value).Distinct()];
        Assert.NotEmpty(launched);
        Assert.Equal([], launched.Except(kernels));
    }

    private static string FirstLine() => s_ptx.Split('\n')[0].TrimEnd('\r');

    // What a program writes; null where there is no such program or it fails.
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    // Such as ".shared .align 4 .b8 name[1024];".
    [GeneratedRegex(@"(?m)^\s*\.shared\b[^;\n]*?\.[bufs](?<bits>8|16|32|64)\s+(?<name>[\w$]+)\[(?<count>\d+)\]")]
    private static partial Regex SharedArray();

    [GeneratedRegex(@"[\w$]+")]
    private static partial Regex Word();

    [GeneratedRegex("\"(?<name>[a-z0-9_]+)\"")]
    private static partial Regex Literal();

    [GeneratedRegex("\\bLaunch\\w*\\(\\s*\"(?<name>\\w+)\"")]
    private static partial Regex Launched();
}
