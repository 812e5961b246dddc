using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// The libraries the tests run on: test doubles of libcuda, libcublas and libcudnn, built here with g++ from the folder Doubles, whose device is this
/// machine; or the real ones where the environment variable LIPSCHITZ_CUDA_REAL is 1.
/// </summary>
internal static partial class Doubles
{
    private const string FolderVariable = "LIPSCHITZ_CUDA_LIBRARIES";
    private const string Compiler = "g++";

    /// <summary>The folder of kernels for the program that checks the doubles themselves.</summary>
    public const string ProbeKernels = "Doubles/Probes";

    /// <summary>That program.</summary>
    public const string CheckProgram = "checks";

    private static readonly string[] Flags =
    [
        "-std=c++17", "-O2", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-fvisibility=hidden", "-pthread",
    ];

    private static readonly string[] AddressSanitizer = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"];

    private static string? s_missing;
    private static string? s_broken;

    /// <summary>Whether the tests run on a real device.</summary>
    public static bool AreReal { get; } = Environment.GetEnvironmentVariable("LIPSCHITZ_CUDA_REAL") == "1";

    /// <summary>The folder of the doubles; empty where there are none.</summary>
    public static string Folder { get; private set; } = "";

    /// <summary>Skips the test where there are neither doubles nor a real device, and fails it where the doubles cannot be built.</summary>
    public static void Require()
    {
        Assert.SkipWhen(s_missing is not null, s_missing ?? "");
        Assert.True(s_broken is null, s_broken);
    }

    /// <summary>As <see cref="Require"/>, for tests that steer the doubles: skips them on a real device.</summary>
    public static void RequireFakes()
    {
        Assert.SkipWhen(AreReal, "On a real device nothing can be made to fail on purpose.");
        Require();
    }

    /// <summary>Doubles of their own for some use.</summary>
    /// <param name="isSanitized">Whether they are compiled for AddressSanitizer.</param>
    /// <param name="kernels">The folder whose kernels.cu they run.</param>
    /// <returns>Their folder. It also holds the program that checks doubles, where the kernels are its own.</returns>
    public static string Build(bool isSanitized, string kernels = "Kernels") => Build(isSanitized ? AddressSanitizer : [], kernels);

    /// <summary>Runs a program and waits for it.</summary>
    /// <returns>Its exit code, and what it wrote.</returns>
    public static (int ExitCode, string Output, string Errors) Start(string program, string[] arguments, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    // Before anything of Lipschitz.Cuda is touched, which looks for its libraries once.
    [ModuleInitializer]
    internal static void Prepare()
    {
        if (AreReal)
        {
            return;
        }

        try
        {
            Folder = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } given ? given : Build(false);
            Environment.SetEnvironmentVariable(FolderVariable, Folder);
            NativeLibrary.SetDllImportResolver(typeof(Doubles).Assembly, (name, _, _) =>
                name == Control.Library ? NativeLibrary.Load(Path.Combine(Folder, "libcuda.so.1")) : 0);
        }
        catch (PlatformNotSupportedException e)
        {
            s_missing = e.Message;
        }
        catch (InvalidOperationException e)
        {
            s_broken = e.Message;
        }
    }

    // Built once for each state of the sources; several test runs may build at a time, the first to finish wins.
    private static string Build(string[] extra, string kernels)
    {
        string doubles = Path.Combine(AppContext.BaseDirectory, "Doubles");
        kernels = Path.Combine(AppContext.BaseDirectory, kernels);
        string[] flags = [.. Flags, .. extra, "-DLIPSCHITZ_HOST", "-I" + doubles, "-I" + kernels];
        string root = Path.Combine(Path.GetTempPath(), "lipschitz-doubles-" + Environment.UserName);
        string folder = Path.Combine(root, Key([doubles, kernels], [.. flags, Version(), Environment.MachineName]));
        if (Directory.Exists(folder))
        {
            return folder;
        }

        string work = folder + "." + Environment.ProcessId;
        Directory.CreateDirectory(work);
        string text = Run([.. flags, "-E", "-P", "-x", "c++", Path.Combine(kernels, "kernels.cu")]);
        File.WriteAllLines(Path.Combine(work, "kernels.table"), KernelName().Matches(text).Select(match => $"KERNEL_OF({match.Groups[1].Value})"));
        string[] Program(string source, string name, params string[] more) =>
            [.. flags, "-I" + work, Path.Combine(doubles, source), "-o", Path.Combine(work, name), "-L" + work, "-Wl,-rpath,$ORIGIN", .. more];
        string[] Library(string source, string name, params string[] more) => Program(source, name, ["-shared", "-Wl,-soname," + name, .. more]);
        Run(Library("cuda.cpp", "libcuda.so.1"));
        Run(Library("cublas.cpp", "libcublas.so.12", "-l:libcuda.so.1"));
        Run(Library("cudnn.cpp", "libcudnn.so.9", "-l:libcuda.so.1"));
        if (kernels.EndsWith(ProbeKernels, StringComparison.Ordinal))
        {
            Run(Program("checks.cpp", CheckProgram, "-l:libcublas.so.12", "-l:libcuda.so.1"));
        }

        try
        {
            Directory.Move(work, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(work, true);
        }

        return folder;
    }

    private static string Key(string[] folders, string[] words)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Join('\n', words)));
        foreach (string path in folders.SelectMany(Directory.GetFiles).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(path)));
            hash.AppendData(File.ReadAllBytes(path));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static string Version()
    {
        try
        {
            return Run(["--version"]);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new PlatformNotSupportedException($"{Compiler} is not installed; the test doubles of CUDA cannot be built.");
        }
    }

    private static string Run(string[] arguments)
    {
        (int exitCode, string output, string errors) = Start(Compiler, arguments);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException($"The test doubles of CUDA do not compile: {Compiler} {string.Join(' ', arguments)}\n{errors}");
    }

    // What KERNEL(name) of shim.h becomes.
    [GeneratedRegex("""extern\s+"C"\s+__attribute__\s*\(\(noinline\)\)\s+void\s+(\w+)""")]
    private static partial Regex KernelName();
}
