using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Interop;

/// <summary>A native library as it was looked for: its handle where it was found, and everything that was tried with the reason it failed.</summary>
internal sealed class LibrarySearch
{
    private readonly List<string> _tried = [];

    private LibrarySearch(string name) => Name = name;

    /// <summary>Such as <c>cuBLAS</c>.</summary>
    public string Name { get; }

    /// <summary>0 where it was not found.</summary>
    public nint Handle { get; private set; }

    /// <summary>What was loaded: a path, or a name that the system found on its own search path.</summary>
    public string Path { get; private set; } = "";

    /// <summary>One line: what was loaded, or all that was tried.</summary>
    public string Report => Handle != 0 ? Path : $"{Name} was not found; tried {string.Join("; ", _tried)}.";

    /// <summary>Tries each folder with each file name, in this order; an empty folder leaves the search to the system.</summary>
    public static LibrarySearch Find(string name, ReadOnlySpan<string> files, ReadOnlySpan<string> folders)
    {
        var search = new LibrarySearch(name);
        foreach (string file in files)
        {
            foreach (string folder in folders)
            {
                if (search.TryLoad(folder, file))
                {
                    return search;
                }
            }
        }

        return search;
    }

    /// <summary>The first of some symbols that the library lacks; null if it has all.</summary>
    public string? MissingSymbol(ReadOnlySpan<string> symbols)
    {
        foreach (string symbol in symbols)
        {
            if (!NativeLibrary.TryGetExport(Handle, symbol, out _))
            {
                return symbol;
            }
        }

        return null;
    }

    private bool TryLoad(string folder, string file)
    {
        string path = System.IO.Path.Combine(folder, file);
        if (folder.Length > 0 && !File.Exists(path))
        {
            _tried.Add($"{path} (no such file)");
            return false;
        }

        try
        {
            Handle = NativeLibrary.Load(path);
            Path = path;
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            _tried.Add($"{path} ({Reason(e.Message, path)})");
            return false;
        }
    }

    // The loader's own words are the last line of the message.
    private static string Reason(string message, string path)
    {
        string[] lines = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string last = lines.Length == 0 ? "not loaded" : lines[^1];
        return last.StartsWith(path + ": ", StringComparison.Ordinal) ? last[(path.Length + 2)..] : last;
    }
}
