using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// Compiles the doubles with g++ from the folders Doubles and Kernels beside the tests. Objects and libraries are kept in a temporary folder under
/// hashes of all they are made of; several test runs may build at a time, the first to finish wins.
/// </summary>
internal static partial class NativeBuild
{
    /// <summary>The folder of the plug-in's kernels.</summary>
    public const string Kernels = "Kernels";

    /// <summary>The folder of kernels for the program that checks the doubles themselves.</summary>
    public const string ProbeKernels = "Doubles/Probes";

    /// <summary>That program.</summary>
    public const string CheckProgram = "checks";

    private const string Compiler = "g++";
    private const string ObjectFolder = "objects";

    private static readonly string[] s_plain =
    [
        "-std=c++17", "-O2", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-fvisibility=hidden", "-pthread", "-Wall", "-Wextra",
    ];

    private static readonly string[] s_sanitized =
    [
        "-O1", "-g1", "-DLIPSCHITZ_SANITIZED", "-fsanitize=address,alignment,shift,signed-integer-overflow", "-fno-sanitize-recover=all",
    ];

    private static readonly string s_root = Path.Combine(Path.GetTempPath(), "lipschitz-doubles-" + Environment.UserName);

    private static string Doubles => Path.Combine(AppContext.BaseDirectory, "Doubles");

    /// <summary>The compiler's words about itself.</summary>
    /// <exception cref="PlatformNotSupportedException">There is none.</exception>
    public static string Version()
    {
        try
        {
            return Run(["--version"]);
        }
        catch (Win32Exception)
        {
            throw new PlatformNotSupportedException($"{Compiler} is not installed; the test doubles of CUDA cannot be built.");
        }
    }

    /// <summary>
    /// Doubles of libcuda.so.1, libcublas.so.12 and libcudnn.so.9, and the program that checks them where their kernels are its own.
    /// </summary>
    /// <param name="kernels">The folder of kernels.cu.</param>
    /// <param name="isSanitized">Whether kernels run under AddressSanitizer.</param>
    /// <returns>Their folder.</returns>
    /// <exception cref="InvalidOperationException">They do not compile; the message has the compiler's words.</exception>
    public static string Libraries(string kernels, bool isSanitized)
    {
        string machine = Version() + Environment.MachineName;
        bool areProbes = kernels == ProbeKernels;
        kernels = Path.Combine(AppContext.BaseDirectory, kernels);
        string[] flags = [.. s_plain, .. isSanitized ? s_sanitized : []];
        string folder = Path.Combine(s_root, Key(machine, [Doubles, kernels], flags));
        if (Directory.Exists(folder))
        {
            Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow);
            return folder;
        }

        RemoveOld();
        string work = $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(work);
        WriteTable(kernels, work);
        string[] withKernels = [.. flags, "-I" + Doubles, "-I" + kernels, "-I" + work];
        string[] ofDriver = [.. s_plain, .. isSanitized ? new[] { "-DLIPSCHITZ_SANITIZED" } : []];
        Source[] sources =
        [
            new("kernels.cpp", withKernels, Key(machine, [Doubles, kernels], flags)),
            new("cuda.cpp", ofDriver, Key(machine, [Doubles], ofDriver)),
            new("cublas.cpp", s_plain, Key(machine, [Doubles], s_plain)),
            new("cudnn.cpp", s_plain, Key(machine, [Doubles], s_plain)),
            .. areProbes ? [new Source("checks.cpp", flags, Key(machine, [Doubles], flags))] : Array.Empty<Source>(),
        ];
        string[] objects = Compile(sources, work);
        string[] link = [.. flags, "-L" + work, "-Wl,-rpath,$ORIGIN"];
        Run([.. link, "-shared", "-Wl,-soname,libcuda.so.1", objects[0], objects[1], "-o", Path.Combine(work, "libcuda.so.1")]);
        Run([.. link, "-shared", "-Wl,-soname,libcublas.so.12", objects[2], "-l:libcuda.so.1", "-o", Path.Combine(work, "libcublas.so.12")]);
        Run([.. link, "-shared", "-Wl,-soname,libcudnn.so.9", objects[3], "-l:libcuda.so.1", "-o", Path.Combine(work, "libcudnn.so.9")]);
        foreach (string part in new[] { "graph", "ops", "cnn", "heuristic", "engines_precompiled" })
        {
            File.CreateSymbolicLink(Path.Combine(work, $"libcudnn_{part}.so.9"), "libcudnn.so.9"); // the double is in one part
        }

        File.CreateSymbolicLink(Path.Combine(work, "libcublasLt.so.12"), "libcublas.so.12");
        if (areProbes)
        {
            Run([.. link, objects[4], "-l:libcublas.so.12", "-l:libcuda.so.1", "-o", Path.Combine(work, CheckProgram)]);
        }

        return Keep(work, folder);
    }

    /// <summary>The library of AddressSanitizer that a process must load before all others; null where the compiler does not bring it.</summary>
    public static string? SanitizerLibrary()
    {
        string path = Run(["-print-file-name=libasan.so"]).Trim();
        return Path.IsPathRooted(path) ? path : null;
    }

    // kernels.table: a line for each kernel of the preprocessed kernels.cu.
    private static void WriteTable(string kernels, string folder)
    {
        string text = Run(["-DLIPSCHITZ_HOST", "-I" + Doubles, "-I" + kernels, "-E", "-P", "-x", "c++", Path.Combine(kernels, "kernels.cu")]);
        File.WriteAllLines(Path.Combine(folder, "kernels.table"), KernelName().Matches(text).Select(match => $"KERNEL_OF({match.Groups[1].Value})"));
    }

    // The objects of some sources, those that are not there yet compiled all at once.
    private static string[] Compile(Source[] sources, string work)
    {
        string folder = Path.Combine(s_root, ObjectFolder);
        Directory.CreateDirectory(folder);
        string[] objects = [.. sources.Select(source => Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(source.File)}-{source.Key}.o"))];
        List<(Process Process, string Made, string Wanted)> running = [];
        for (int i = 0; i < sources.Length; i++)
        {
            if (!File.Exists(objects[i]))
            {
                string made = Path.Combine(work, sources[i].File + ".o");
                string source = Path.Combine(Doubles, sources[i].File);
                running.Add((Start([.. sources[i].Flags, "-DLIPSCHITZ_HOST", "-c", source, "-o", made]), made, objects[i]));
            }
        }

        foreach ((Process process, string made, string wanted) in running)
        {
            Finish(process);
            File.Move(made, wanted, overwrite: true);
        }

        return objects;
    }

    // What nobody has used for a week.
    private static void RemoveOld()
    {
        DateTime oldest = DateTime.UtcNow - TimeSpan.FromDays(7);
        string objects = Directory.CreateDirectory(Path.Combine(s_root, ObjectFolder)).FullName;
        foreach (string old in Directory.GetDirectories(s_root).Where(path => path != objects && Directory.GetLastWriteTimeUtc(path) < oldest))
        {
            Directory.Delete(old, recursive: true);
        }

        foreach (string file in Directory.GetFiles(objects).Where(path => File.GetLastWriteTimeUtc(path) < oldest))
        {
            File.Delete(file);
        }
    }

    private static string Keep(string work, string folder)
    {
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

    private static string Key(string machine, string[] folders, string[] words)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(machine + string.Join('\n', words)));
        foreach (string path in folders.SelectMany(Directory.GetFiles).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(path)));
            hash.AppendData(File.ReadAllBytes(path));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static string Run(string[] arguments) => Finish(Start(arguments));

    private static Process Start(string[] arguments) =>
        Process.Start(new ProcessStartInfo(Compiler, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static string Finish(Process process)
    {
        using Process finished = process;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"The test doubles of CUDA do not compile: {Compiler} {string.Join(' ', process.StartInfo.ArgumentList)}\n{errors.Result}");
    }

    // What KERNEL(name) of shim.h becomes.
    [GeneratedRegex("""extern\s+"C"\s+__attribute__\s*\(\(noinline\)\)\s+void\s+(\w+)""")]
    private static partial Regex KernelName();

    private sealed record Source(string File, string[] Flags, string Key);
}
