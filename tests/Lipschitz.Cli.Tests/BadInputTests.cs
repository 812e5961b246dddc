using System.Text.Json;
using Lipschitz.Backends;
using Lipschitz.Core.Tests.Data;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;

namespace Lipschitz.Cli.Tests;

public sealed class BadInputTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Theory]
    [InlineData("unknown command 'trian'; did you mean 'train'? (see lipschitz --help)", "trian", "moons")]
    [InlineData("Required command was not provided (see lipschitz --help)")]
    [InlineData("unknown option '--step'; did you mean '--steps'? (see lipschitz train --help)", "train", "moons", "--step", "5")]
    [InlineData("unknown option '--step'; did you mean '--steps'? (see lipschitz train --help)", "train", "--step", "5")]
    [InlineData("unknown argument 'circles' (see lipschitz train --help)", "train", "moons", "circles")]
    [InlineData("--steps needs a whole number of at least 1, not '0' (see lipschitz train --help)", "train", "moons", "--steps", "0")]
    [InlineData("--seed needs a whole number of at least 0, not 'abc' (see lipschitz train --help)", "train", "moons", "--seed", "abc")]
    [InlineData("--tolerance needs a positive number", "invert", "run", "--tolerance", "-1")]
    [InlineData("--tolerance needs a positive number such as 0.5, not '0,001'", "invert", "run", "--tolerance", "0,001")]
    [InlineData("--epochs needs a positive number such as 0.5, not 'Infinity'", "train", "moons", "--epochs", "Infinity")]
    [InlineData("--out is given an empty text (see lipschitz train --help)", "train", "moons", "--out", "")]
    [InlineData("RUN is given an empty text (see lipschitz eval --help)", "eval", "")]
    [InlineData("unknown option '--bogus' (see lipschitz bench step --help)", "bench", "step", "--bogus")]
    [InlineData("evaluation.points 2000000000 are too many for the memory", "train", "moons", "--set", "evaluation.points=2000000000")]
    [InlineData("train needs DATA, such as moons, or --resume RUN", "train")]
    [InlineData("--seed does not go with --resume", "train", "--resume", "run", "--seed", "1")]
    [InlineData("unknown data set 'mons'; did you mean 'moons'?", "train", "mons")]
    [InlineData("unknown data set 'mnits'; did you mean 'mnist'?", "train", "mnits")]
    [InlineData("Fashion-MNIST does not come with the library: give --data PATH", "train", "fashion")]
    [InlineData("from https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "train", "cifar10")]
    [InlineData("moons needs no such path", "train", "moons", "--data", "folder")]
    [InlineData("unknown back end 'cud'; did you mean 'cuda'?", "train", "moons", "--backend", "cud")]
    [InlineData("--precision does not go with --backend cpu", "train", "moons", "--backend", "cpu", "--precision", "tf32")]
    [InlineData("--device needs --backend cuda", "bench", "step", "--device", "1")]
    [InlineData("--precision needs --backend cuda", "train", "moons", "--precision", "tf32")]
    [InlineData("--threads does not go with --backend cuda", "train", "moons", "--backend", "cuda", "--threads", "2")]
    [InlineData("unknown precision 'fp16'", "train", "moons", "--backend", "cuda", "--precision", "fp16")]
    [InlineData("--device needs a whole number of at least 0, not '-1'", "train", "moons", "--backend", "cuda", "--device", "-1")]
    [InlineData("unknown preset 'quik'; did you mean 'quick'?", "train", "moons", "--model", "quik")]
    [InlineData("unknown preset 'resflow-16'", "train", "mnist", "--model", "resflow-16")]
    [InlineData("unknown key 'learningRat'; did you mean 'learningRate'?", "train", "moons", "--set", "learningRat=1")]
    [InlineData("--set data=circles: data is given as DATA, not by --set", "train", "moons", "--set", "data=circles")]
    [InlineData("--set dataPath=x: dataPath is given as --data PATH", "train", "mnist", "--set", "dataPath=x")]
    [InlineData("--set name=mine: name is given as --model", "train", "moons", "--set", "name=mine")]
    [InlineData("--set seed=5: seed is given as --seed", "train", "moons", "--set", "seed=5")]
    [InlineData("--set data=circles: data is given as --data", "bench", "step", "--set", "data=circles")]
    [InlineData("--set data=circles: data is given as --data", "inspect", "quick", "--set", "data=circles")]
    [InlineData("--set learningRate=abc: expected a number, not 'abc'", "train", "moons", "--set", "learningRate=abc")]
    [InlineData("--set learningRate=: expected a number, not an empty value", "train", "moons", "--set", "learningRate=")]
    [InlineData("moons has no labels, which --task classification learns", "train", "moons", "--task", "classification")]
    [InlineData("--data says where the run's data lie", "invert", "run", "p.csv", "--data", "q.csv")]
    [InlineData("--set model.blocks=many", "train", "moons", "--set", "model.blocks=many")]
    [InlineData("must be at least 1", "train", "moons", "--set", "model.blocks=0")]
    [InlineData("its width must be even, not 7", "train", "moons", "--set", "activation=MaxMin", "--set", "growth=7")]
    [InlineData("its width must be even, not 7", "inspect", "quick", "--set", "activation=MaxMin", "--set", "growth=7")]
    [InlineData("unknown preset (and there is no run of that name) 'resflo'; did you mean 'resflow'?", "inspect", "resflo")]
    [InlineData("--falsify does not go with --check", "verify", "run", "--check", "--falsify", "10")]
    [InlineData("--seed does not go with --check", "verify", "run", "--check", "--seed", "3")]
    [InlineData("--tight does not go with --check", "verify", "run", "--check", "--tight")]
    [InlineData("--threads does not go with --check", "verify", "run", "--check", "--threads", "1")]
    [InlineData("--seed needs --falsify", "verify", "run", "--seed", "3")]
    public void A_wrong_command_line_is_exit_code_2(string reason, params string[] args)
    {
        Assert.Contains(reason, CommandLine.Fail(ExitCode.Usage, args), StringComparison.Ordinal);
        Assert.Contains(reason, CommandLine.Fail(ExitCode.Usage, [.. args, "--json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_concatenation_that_is_never_released_is_said_so()
    {
        string[] train = ["train", "moons", "--model", "idensenet-lc", "--steps", "2", .. CommandLine.Tiny];
        (int code, _, string error) = CommandLine.Run([.. train, "--out", _line.In("run")]);
        Assert.Equal((0, "note: the concatenation is held at its start for 25000 steps, so that none of the 2 learns it;"
            + " --set training.holdConcatenation=1 releases it half way\n"), (code, error));
        CommandLine.Succeed([.. train, "--out", _line.In("other"), "--set", "training.holdConcatenation=1"]);
    }

    [Fact]
    public void A_directory_that_cannot_be_written_is_exit_code_2()
    {
        string file = _line.Save("file", "");
        string error = CommandLine.Fail(ExitCode.Usage, ["train", "moons", "--out", Path.Combine(file, "run"), .. CommandLine.Tiny]);
        Assert.Contains($"cannot write {file}", error, StringComparison.Ordinal);
        CommandLine.Fail(ExitCode.Usage, ["train", "moons", "--out", "/proc/nowhere/run", .. CommandLine.Tiny]);
    }

    [Fact]
    public void A_directory_in_use_is_exit_code_2_and_stays_as_it_is()
    {
        string kept = _line.Save("kept", "precious");
        string error = CommandLine.Fail(ExitCode.Usage, "train", "moons", "--out", _line.Folder);
        Assert.Contains("exists and is not empty; continue it with --resume", error, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(kept));
    }

    [Theory]
    [InlineData("1,2\n3,abc\n", "line 2, column 2: 'abc' is not a number")]
    [InlineData("1,2,3\n", "line 1: 3 columns, expected 2")]
    [InlineData("1,2\nNaN,4\n", "line 2, column 1: NaN is not finite")]
    [InlineData("", "holds no points")]
    public void Bad_points_are_exit_code_3(string text, string reason)
    {
        string run = _line.TrainTiny();
        string points = _line.Save("points.csv", text), output = _line.In("out.csv");
        Assert.Contains($"{points}: {reason}", CommandLine.Fail(ExitCode.Data, "logprob", run, points, "-o", output), StringComparison.Ordinal);
        Assert.Contains($"{points}: {reason}", CommandLine.Fail(ExitCode.Data, "invert", run, points, "--json"), StringComparison.Ordinal);
        Assert.False(File.Exists(output));
    }

    [Fact]
    public void Bad_training_data_is_exit_code_3_and_makes_no_run()
    {
        string run = _line.In("run");
        Assert.Contains(
            "line 1, column 2: 'x' is not a number",
            CommandLine.Fail(ExitCode.Data, "train", _line.Save("p.csv", "1,x\n"), "--out", run),
            StringComparison.Ordinal);
        Assert.Contains("at least 20", CommandLine.Fail(ExitCode.Data, "train", _line.Save("p.csv", "1,2\n"), "--out", run), StringComparison.Ordinal);
        Assert.Contains("there is no file", CommandLine.Fail(ExitCode.Data, "train", _line.In("none.csv"), "--out", run), StringComparison.Ordinal);
        Npy.Write(_line.In("p.npy"), [1, double.NaN], 1, 2);
        Assert.Contains("row 1, column 2: NaN is not finite", CommandLine.Fail(ExitCode.Data, "train", _line.In("p.npy"), "--out", run), StringComparison.Ordinal);
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public void Bad_picture_files_are_exit_code_3_and_make_no_run()
    {
        string run = _line.In("run"), digits = _line.In("digits"), images = Path.Combine(digits, "train-images-idx3-ubyte"), archive = _line.In("cifar.tar.gz");
        PictureFiles.WriteMnist(digits);
        byte[] good = File.ReadAllBytes(images), records = PictureFiles.Cifar(2);
        foreach ((byte[] bytes, string reason) in new[]
        {
            (good[..^1], "is truncated"), (good[..7], "is truncated"), ([], "is empty"), ([1, .. good[1..]], "is no IDX file"),
            (PictureFiles.IdxLabels(12), "has 1 dimensions"), (PictureFiles.Idx([], 1u << 31, 1, 1), "claims 2147483648 x 1 x 1 bytes"),
            (PictureFiles.Pack(good)[..^20], "get it again"), (PictureFiles.Bomb(PictureFiles.Idx([], 40, 1024, 1024), 40 << 20), "unpacks to more than"),
        })
        {
            File.WriteAllBytes(images, bytes);
            string error = Fail("mnist", digits);
            Assert.Contains(images + ": ", error, StringComparison.Ordinal);
            Assert.Contains(reason, error, StringComparison.Ordinal);
        }

        File.WriteAllBytes(images, PictureFiles.IdxPictures(11));
        Assert.Contains("holds 12 labels", Fail("fashion", digits), StringComparison.Ordinal);
        foreach ((byte[] bytes, string reason) in new[]
        {
            ([], "is empty"), (PictureFiles.CifarArchive()[..^100], "get it again"), (PictureFiles.Pack(new byte[100]), "is truncated"),
            ([.. PictureFiles.TarHeader("../data_batch_1.bin", '0', records.Length), .. records], "leads out of the archive"),
            ([.. PictureFiles.TarHeader("data_batch_1.bin", '2', 0), .. new byte[1024]], "is a link"),
            (PictureFiles.TarHeader("data_batch_1.bin", '0', 3073L * 40_000), "is truncated"), ((byte[])[.. "PK"u8, .. new byte[1000]], "is no tar archive"),
        })
        {
            File.WriteAllBytes(archive, bytes);
            Assert.Contains(reason, Fail("cifar10", archive), StringComparison.Ordinal);
            Assert.Contains(reason, CommandLine.Fail(ExitCode.Data, "train", archive, "--out", run), StringComparison.Ordinal);
        }

        Assert.Contains("there is no file or folder", Fail("cifar10", _line.In("none")), StringComparison.Ordinal);
        Assert.Contains("there is no file or folder", CommandLine.Fail(ExitCode.Data, "train", _line.In("none/"), "--out", run), StringComparison.Ordinal);
        Assert.False(Directory.Exists(run));

        string Fail(string data, string path) => CommandLine.Fail(ExitCode.Data, "train", data, "--data", path, "--out", run);
    }

    [Fact]
    public void Data_too_wide_for_the_exact_determinant_is_exit_code_2_and_makes_no_run()
    {
        Npy.Write(_line.In("p.npy"), new double[40 * 17], 40, 17);
        string[] train = ["train", _line.In("p.npy"), "--steps", "2", "--out", _line.In("run"), .. CommandLine.Tiny];
        foreach (string key in new[] { "logDet.method", "evaluation.logDet.method" })
        {
            string error = CommandLine.Fail(ExitCode.Usage, [.. train, "--set", $"{key}=Exact"]);
            Assert.Contains("at most 16 columns, not 17", error, StringComparison.Ordinal);
            Assert.Contains("--set logDet.method=Roulette", error, StringComparison.Ordinal);
            Assert.Contains("--set evaluation.logDet.method=Roulette", error, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(_line.In("run")));
    }

    [Theory]
    [InlineData("quick")]
    [InlineData("idensenet")]
    [InlineData("resflow")]
    public void Data_too_wide_for_the_exact_determinant_get_an_unbiased_one_where_nothing_else_is_asked_for(string model)
    {
        Npy.Write(_line.In("p.npy"), [.. Enumerable.Range(0, 40 * 17).Select(i => Math.Sin(i * i))], 40, 17);
        (int code, _, string error) = CommandLine.Run([
            "train", _line.In("p.npy"), "--model", model, "--steps", "2", "--out", _line.In("run"), "--set", "model.hidden=8", .. CommandLine.Tiny]);
        Assert.Equal(0, code);
        Assert.Matches("^note: 17 columns are more than the 16 .* in the test with 20 terms and a random number more\n$", error);
        Assert.Equal("Unbiased", CommandLine.Json("eval", _line.In("run")).GetProperty("logDet").GetString());
    }

    [Fact]
    public void A_run_that_is_none_is_exit_code_3()
    {
        foreach (string command in new[] { "eval", "invert", "plot" })
        {
            Assert.Contains("there is no run", CommandLine.Fail(ExitCode.Data, command, _line.In("none")), StringComparison.Ordinal);
            Assert.Contains("no run here", CommandLine.Fail(ExitCode.Data, command, _line.Folder), StringComparison.Ordinal);
        }

        Assert.Contains("no run here", CommandLine.Fail(ExitCode.Data, "train", "--resume", _line.Folder), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_checkpoint_is_exit_code_3_and_is_not_overwritten()
    {
        string run = _line.TrainTiny();
        foreach ((string file, string[] command) in new[]
        {
            ("model.safetensors", new[] { "eval", run }), ("training.safetensors", ["train", "--resume", run]), ("config.json", ["eval", run]),
        })
        {
            string path = Path.Combine(run, file);
            byte[] good = File.ReadAllBytes(path);
            byte[] flipped = [.. good];
            flipped[(good.Length / 2) + 1] ^= 0x10;
            foreach (byte[] bad in new[] { good[..^7], good[..3], [], flipped })
            {
                File.WriteAllBytes(path, bad);
                if (file == "config.json" && bad == flipped)
                {
                    continue; // a changed number in a readable text is a change, not damage
                }

                Assert.Contains(file, CommandLine.Fail(ExitCode.Data, command), StringComparison.Ordinal);
                Assert.Equal(bad, File.ReadAllBytes(path));
            }

            File.WriteAllBytes(path, good);
        }

        CommandLine.Succeed("eval", run);
    }

    [Fact]
    public void Training_that_diverges_is_exit_code_4_and_keeps_the_last_checkpoint()
    {
        string run = _line.In("run");
        (int code, string output, string error) = CommandLine.Run(
            ["train", "moons", "--out", run, "--set", "learningRate=1e30", "--set", "clip=0", .. CommandLine.Tiny]);
        Assert.Equal(ExitCode.Numerical, code);
        string line = Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.Matches(@"^error: step \d+: .*(blocks|norms)\.\d.*; the last good checkpoint is step 0 in ", line);
        CommandLine.Succeed("eval", run);
    }

    [Theory]
    [InlineData("1e25")]
    [InlineData("3e38")]
    public void A_point_far_out_has_log_density_minus_infinity_and_leaves_the_others(string far)
    {
        string run = _line.TrainTiny(), text = "x,y\n" + string.Concat(Enumerable.Range(0, 200).Select(i => $"{(i % 7) / 3.0},{(i % 5) / 4.0}\n"));
        string[] lines = text.Split('\n');
        lines[101] = $"{far},-1";
        lines[103] = $"-1,{far}";
        string points = _line.Save("far.csv", string.Join('\n', lines)), near = _line.Save("near.csv", text);
        CommandLine.Succeed("logprob", run, near, "-o", _line.In("near.npy"));
        (int code, string output, string error) = CommandLine.Run("logprob", run, points, "-o", _line.In("far.npy"), "--json");
        Assert.Equal(0, code);
        string note = Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("note: 2 of 200 points", note, StringComparison.Ordinal);
        Assert.EndsWith($"the first is line 102 of {points}", note, StringComparison.Ordinal);
        double[] expected = Npy.Read(_line.In("near.npy")).ToFloat64(), found = Npy.Read(_line.In("far.npy")).ToFloat64();
        expected[100] = expected[102] = double.NegativeInfinity;
        Assert.Equal(expected, found);
        JsonElement result = JsonDocument.Parse(output).RootElement;
        Assert.Equal(2, result.GetProperty("belowRange").GetInt32());
        Assert.Equal(expected.Where(double.IsFinite).Average(), result.GetProperty("meanLogDensity").GetDouble(), 1e-9);
        Assert.Equal(0, CommandLine.Run("logprob", run, points, "-o", _line.In("far.csv.csv")).Code);
        Assert.Equal("-Infinity", File.ReadAllLines(_line.In("far.csv.csv"))[101]);
    }

    [Fact]
    public void A_density_that_is_not_finite_in_float64_either_is_a_failure()
    {
        Configuration tiny = ConfigurationJson.Override(Presets.Load("quick"), ["blocks=1", "depth=1"]);
        Flow Broken(IBackend backend)
        {
            Flow flow = FlowFactory.Create(tiny, 2, backend);
            backend.Fill(flow.Parameters.First(parameter => parameter.Role == ParameterRole.Bias).Value, double.NaN);
            flow.Prepare();
            return flow;
        }

        NonFiniteException failure = Assert.Throws<NonFiniteException>(
            () => FarPoints.Settle([0, double.NaN], new Points([1, 2, 3, 4], 2), "p.npy", Broken, tiny));
        Assert.Equal("p.npy: row 2: the log-density is not finite", failure.Message);
    }

    [Theory]
    [InlineData("1,0;2,200", "column 2 has mean .* and standard deviation 99.*; idensenet without ActNorm")]
    [InlineData("0.01,0;-0.01,1", "column 1 has mean .* and standard deviation 0.0")]
    [InlineData("20,0;21,30", "column 1 has mean 20.* and 1 more like it")]
    public void Columns_far_from_order_1_are_named_where_the_model_has_no_ActNorm(string rows, string expected)
    {
        string points = _line.Save("p.csv", string.Concat(Enumerable.Repeat(rows.Replace(';', '\n') + "\n", 150)));
        string[] train = ["train", points, "--steps", "1", "--out"];
        (int code, _, string error) = CommandLine.Run([.. train, _line.In("a"), "--model", "idensenet", .. CommandLine.Tiny]);
        Assert.Equal(0, code);
        string note = Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("note: column ", note, StringComparison.Ordinal);
        Assert.Matches(expected, note);
        CommandLine.Succeed([.. train, _line.In("b"), "--model", "quick", .. CommandLine.Tiny]);
    }

    [Fact]
    public void An_input_is_not_overwritten()
    {
        string run = _line.TrainTiny(), points = _line.Save("p.csv", "1,2\n3,4\n"), link = _line.In("link.csv");
        File.CreateSymbolicLink(link, points);
        foreach (string output in new[] { points, Path.Combine(_line.Folder, ".", "p.csv"), link })
        {
            Assert.Contains("is an input", CommandLine.Fail(ExitCode.Usage, "logprob", run, points, "-o", output), StringComparison.Ordinal);
        }

        Assert.Equal("1,2\n3,4\n", File.ReadAllText(points));
        string data = _line.Save("data.csv", string.Concat(Enumerable.Range(0, 40).Select(i => $"{i / 20.0},{i % 3}\n")));
        CommandLine.Succeed(["train", data, "--steps", "1", "--out", _line.In("own"), .. CommandLine.Tiny]);
        Assert.Contains("is an input", CommandLine.Fail(ExitCode.Usage, "sample", _line.In("own"), "-o", data), StringComparison.Ordinal);
        Assert.Contains("is an input", CommandLine.Fail(ExitCode.Usage, "logprob", _line.In("own"), points, "-o", data), StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_moved_are_found_with_data()
    {
        string data = _line.Save("data.csv", string.Concat(Enumerable.Range(0, 40).Select(i => $"{i / 20.0},{i % 3}\n"))), run = _line.In("run");
        CommandLine.Succeed(["train", data, "--steps", "1", "--out", run, .. CommandLine.Tiny]);
        File.Move(data, _line.In("moved.csv"));
        foreach (string command in new[] { "eval", "plot", "invert" })
        {
            Assert.Contains("--data PATH says where", CommandLine.Fail(ExitCode.Data, command, run), StringComparison.Ordinal);
            CommandLine.Succeed(command, run, "--data", _line.In("moved.csv"));
        }
    }

    [Fact]
    public void A_damaged_configuration_is_named_once_with_the_line()
    {
        string run = _line.TrainTiny(), path = Path.Combine(run, "config.json"), good = File.ReadAllText(path);
        foreach ((string bad, string reason) in new[]
        {
            (good[..^20], "line "), (good.Replace("\"blocks\": 2", "\"blocks\": \"two\"", StringComparison.Ordinal), "model.blocks is unknown, or"),
            (good.Replace("\"blocks\": 2", "\"blocks\": 0", StringComparison.Ordinal), "model.blocks must be at least 1, not 0"),
        })
        {
            File.WriteAllText(path, bad);
            string error = CommandLine.Fail(ExitCode.Data, "eval", run);
            Assert.StartsWith($"error: {path}: damaged configuration: ", error, StringComparison.Ordinal);
            Assert.Contains(reason, error, StringComparison.Ordinal);
            Assert.Equal(1, error.Split("config.json").Length - 1);
            Assert.DoesNotContain("BytePositionInLine", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void More_points_than_an_array_holds_are_drawn_in_parts_and_refused_where_all_are_needed()
    {
        string run = _line.TrainTiny(), path = _line.In("s.npy");
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        using var error = new StringWriter();
        Assert.Equal(ExitCode.Interrupted, Program.Run(["sample", run, "-n", "2000000000", "-o", path], TextWriter.Null, error, cancellation: stopped.Token));
        Assert.Equal("stopped after 0 of 2000000000; nothing is written\n", error.ToString());
        Assert.DoesNotContain(Directory.GetFiles(_line.Folder), file => file.Contains("s.npy", StringComparison.Ordinal));
        Assert.Contains("too many", CommandLine.Fail(ExitCode.Usage, "sample", run, "-n", "2000000000", "-o", _line.In("s.png")), StringComparison.Ordinal);
        Assert.Contains("too many", CommandLine.Fail(ExitCode.Usage, "eval", run, "--points", "2000000000"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_test_point_far_out_is_named_by_its_number_in_the_file()
    {
        double[] values = [.. Enumerable.Range(0, 400).Select(i => Math.Sin(i))];
        Npy.Write(_line.In("p.npy"), values, 200, 2);
        string run = _line.In("run");
        CommandLine.Succeed(["train", _line.In("p.npy"), "--steps", "3", "--out", run, .. CommandLine.Tiny]);
        values[2 * 29] = 1e25;
        Npy.Write(_line.In("far.npy"), values, 200, 2);
        string error = CommandLine.Fail(ExitCode.Numerical, "eval", run, "--data", _line.In("far.npy"));
        Assert.Contains($"(row 2, counted from 0): number 30 of the points in {_line.In("far.npy")}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_of_unknown_kind_is_exit_code_2()
    {
        string run = _line.TrainTiny();
        Assert.Contains(
            "its name must end in .csv, .npy or .png", CommandLine.Fail(ExitCode.Usage, "sample", run, "-o", _line.In("s.txt")), StringComparison.Ordinal);
        Assert.Contains(
            "its name must end in .csv or .npy", CommandLine.Fail(ExitCode.Usage, "logprob", run, "p.csv", "-o", _line.In("s.png")), StringComparison.Ordinal);
        Assert.Contains(
            "there is no folder", CommandLine.Fail(ExitCode.Usage, "sample", run, "-o", _line.In("none/s.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public void Verbose_adds_the_stack_trace()
    {
        (int code, _, string error) = CommandLine.Run("train", "mons", "--verbose");
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("   at Lipschitz.Cli.", error, StringComparison.Ordinal);
    }
}
