namespace Lipschitz.Checkpoints;

/// <summary>Replaces files as a whole, so that a reader or a crash finds the old contents or the new, never a part.</summary>
public static class AtomicFile
{
    /// <summary>
    /// The file at <paramref name="path"/> ← what <paramref name="write"/> writes; if that throws, the file stays as it was.
    /// </summary>
    /// <remarks>
    /// Writes to a temporary file in the same folder, flushes it to the disk, then renames it over the old one. A symbolic link is
    /// followed: its target is replaced. A kill in between leaves a file named .NAME.RANDOM.tmp behind.
    /// </remarks>
    /// <exception cref="IOException">The folder does not exist or the file cannot be written or replaced.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        bool isLink = new FileInfo(path).LinkTarget is not null;
        string target = isLink ? File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName : Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target) ?? throw new IOException($"{path} is a root folder, not a file.");
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            // Nothing is there where the temporary file could not even be made; its folder may be missing, too.
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            throw;
        }
    }
}
