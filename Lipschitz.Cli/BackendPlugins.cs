using System.Runtime.Loader;
using Lipschitz.Backends;

namespace Lipschitz.Cli;

/// <summary>Back ends in assemblies that lie beside the command and are loaded when asked for.</summary>
internal static class BackendPlugins
{
    /// <summary>Where they are looked for: beside the command.</summary>
    public static string Folder => AppContext.BaseDirectory;

    /// <summary>Loads a plug-in.</summary>
    /// <param name="name">Such as <c>cuda</c>, from <c>Lipschitz.Cuda.dll</c>.</param>
    /// <exception cref="BackendUnavailableException">There is none, or it is no plug-in.</exception>
    public static IBackendPlugin Load(string name) => Load(name, Folder);

    /// <summary>Loads a plug-in from a folder.</summary>
    internal static IBackendPlugin Load(string name, string folder)
    {
        string path = Path.Combine(folder, $"Lipschitz.{char.ToUpperInvariant(name[0])}{name[1..]}.dll");
        if (!File.Exists(path))
        {
            throw new BackendUnavailableException($"--backend {name} needs its plug-in, which is not there: {path}");
        }

        try
        {
            Type type = AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.GetFullPath(path)).GetExportedTypes()
                .Single(type => typeof(IBackendPlugin).IsAssignableFrom(type));
            return (IBackendPlugin)Activator.CreateInstance(type)!;
        }
        catch (Exception failure) when (failure is BadImageFormatException or FileLoadException or InvalidOperationException or TypeLoadException)
        {
            throw new BackendUnavailableException($"--backend {name}: {path} is not a plug-in of this version: {failure.Message}", failure);
        }
    }
}
