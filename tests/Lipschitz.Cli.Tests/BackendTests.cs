using System.Diagnostics;
using System.Text.Json;
using Lipschitz.Backends;

namespace Lipschitz.Cli.Tests;

/// <summary>Back ends that are not there: the command says exactly what is missing.</summary>
public sealed class BackendTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Fact]
    public void A_missing_plug_in_is_named_with_its_path()
    {
        BackendUnavailableException failure = Assert.Throws<BackendUnavailableException>(() => BackendPlugins.Load("cuda", _line.Folder));
        Assert.Contains(_line.In("Lipschitz.Cuda.dll"), failure.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, ExitCode.Of(failure));
    }

    [Fact]
    public void A_file_that_is_no_plug_in_is_named()
    {
        _line.Save("Lipschitz.Cuda.dll", "no assembly");
        Assert.Contains("is not a plug-in of this version", Assert.Throws<BackendUnavailableException>(
            () => BackendPlugins.Load("cuda", _line.Folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_fails_is_one_line_and_exit_code_1()
    {
        Assert.Equal(ExitCode.Unexpected, ExitCode.Of(new BackendException("cuMemAlloc: out of memory")));
    }

    // Processes of their own: a library that was found or missed once stays so in a process.
    [Theory]
    [InlineData("moons")]
    [InlineData("cifar10")]
    public void Without_a_driver_training_says_so_in_a_short_line_and_nothing_else_changes(string data)
    {
        (int code, string output, string error) = Command("train", data, "--backend", "cuda", "--out", _line.In("run"));
        Assert.Equal((ExitCode.Usage, ""), (code, output));
        Assert.StartsWith("error: ", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains("The CUDA driver was not found (lipschitz doctor says where", error, StringComparison.Ordinal);
        Assert.DoesNotContain(_line.Folder, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_line.In("run")));
    }

    [Fact]
    public void Without_a_driver_the_doctor_lists_what_is_missing()
    {
        (int code, string output, string error) = Command("doctor", "--json");
        Assert.Equal((0, ""), (code, error));
        JsonElement[] findings = [.. JsonDocument.Parse(output).RootElement.GetProperty("cuda").EnumerateArray()];
        JsonElement driver = findings.First(finding => finding.GetProperty("what").GetString()!.Contains("driver", StringComparison.Ordinal));
        Assert.True(driver.GetProperty("isNeeded").GetBoolean());
        Assert.False(driver.GetProperty("isFound").GetBoolean());
        Assert.Contains(_line.Folder, driver.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(findings, finding => finding.GetProperty("what").GetString() == "cuBLAS" && !finding.GetProperty("isNeeded").GetBoolean());
        Assert.Contains(findings, finding => finding.GetProperty("what").GetString() == "cuDNN" && !finding.GetProperty("isNeeded").GetBoolean());
    }

    // The command where no library of CUDA is to be found: the override folder is empty.
    private (int Code, string Output, string Error) Command(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LIPSCHITZ_CUDA_LIBRARIES"] = _line.Folder;
        start.ArgumentList.Add(typeof(Program).Assembly.Location);
        foreach (string arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.Result, error);
    }
}
