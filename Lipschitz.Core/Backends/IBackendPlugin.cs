namespace Lipschitz.Backends;

/// <summary>A back end in an assembly of its own, found and loaded at run time; its absence is normal.</summary>
public interface IBackendPlugin
{
    /// <summary>The name users choose it by, such as <c>cuda</c>.</summary>
    string Name { get; }

    /// <summary>What it needs of the machine and what it found: drivers, devices, libraries with versions and the paths looked at. Never throws.</summary>
    IReadOnlyList<BackendFinding> Diagnose();

    /// <summary>Opens a device.</summary>
    /// <param name="options">Which, and how exact.</param>
    /// <exception cref="BackendUnavailableException">
    /// Something it needs is missing; the message says what, and <see cref="Diagnose"/> where it was looked for.
    /// </exception>
    IBackend Open(BackendOptions options);
}

/// <summary>What a user may choose about a device.</summary>
/// <param name="Device">Its number, from 0.</param>
/// <param name="AllowTf32">Whether products may round their factors to 10 bits of mantissa (NVIDIA's TF32) for speed.</param>
public readonly record struct BackendOptions(int Device, bool AllowTf32);

/// <summary>One thing that a back end needs or uses.</summary>
/// <param name="What">Such as <c>driver</c> or <c>cuBLAS</c>.</param>
/// <param name="IsFound">Whether it is there and usable.</param>
/// <param name="IsNeeded">Whether the back end cannot run without.</param>
/// <param name="Detail">Version and path, or what was looked for and where.</param>
public sealed record BackendFinding(string What, bool IsFound, bool IsNeeded, string Detail);
