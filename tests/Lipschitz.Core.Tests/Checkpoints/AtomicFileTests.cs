using Lipschitz.Checkpoints;

namespace Lipschitz.Core.Tests.Checkpoints;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atomic").FullName;

    private string Target => Path.Combine(_folder, "file.bin");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_new_file_appears_with_all_of_its_contents()
    {
        AtomicFile.Write(Target, stream =>
        {
            stream.Write([1, 2, 3]);
            Assert.False(File.Exists(Target));
        });
        Assert.Equal(new byte[] { 1, 2, 3 }, File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Fact]
    public void The_old_contents_stay_until_the_new_ones_are_complete()
    {
        byte[] old = [9, 9, 9, 9];
        File.WriteAllBytes(Target, old);
        AtomicFile.Write(Target, stream =>
        {
            stream.Write([1]);
            stream.Flush();
            Assert.Equal(old, File.ReadAllBytes(Target));
        });
        Assert.Equal(new byte[] { 1 }, File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_failure_leaves_everything_as_it_was(bool fileWasThere)
    {
        if (fileWasThere)
        {
            File.WriteAllBytes(Target, [9]);
        }

        var thrown = new InvalidOperationException("half way");
        var caught = Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(Target, stream =>
        {
            stream.Write(new byte[100_000]);
            throw thrown;
        }));
        Assert.Same(thrown, caught);
        Assert.Equal(fileWasThere ? [Target] : [], Directory.GetFiles(_folder));
        if (fileWasThere)
        {
            Assert.Equal(new byte[] { 9 }, File.ReadAllBytes(Target));
        }
    }

    [Fact]
    public void A_target_that_cannot_be_replaced_leaves_no_temporary_file()
    {
        Directory.CreateDirectory(Target);
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(Target, stream => stream.WriteByte(1)));
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.True(Directory.Exists(Target));
    }

    [Fact]
    public void A_missing_folder_is_an_error_and_nothing_is_written()
    {
        bool written = false;
        Assert.Throws<DirectoryNotFoundException>(
            () => AtomicFile.Write(Path.Combine(_folder, "none", "file.bin"), _ => written = true));
        Assert.False(written);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_symbolic_link_stays_one_and_its_target_is_replaced(bool targetIsThere)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "symbolic links need a privilege on Windows");
        string link = Path.Combine(_folder, "latest.bin");
        if (targetIsThere)
        {
            File.WriteAllBytes(Target, [9]);
        }

        File.CreateSymbolicLink(link, Target);
        AtomicFile.Write(link, stream => stream.WriteByte(1));
        Assert.Equal(Target, new FileInfo(link).LinkTarget);
        Assert.Equal(new byte[] { 1 }, File.ReadAllBytes(Target));
    }
}
