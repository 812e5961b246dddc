using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Tests;

/// <summary>Steers the test doubles and asks them what happened; see Doubles/control.h.</summary>
internal static partial class Control
{
    /// <summary>The name that <see cref="Doubles"/> resolves to the fake libcuda.</summary>
    public const string Library = "lipschitz-double";

    /// <summary>What was done against the rules since the last reset, one a line; empty if nothing.</summary>
    public static string Complaints => Marshal.PtrToStringUTF8(ReadComplaints())!;

    /// <summary>What was made and not released, one a line; empty if nothing.</summary>
    public static string Leaks => Marshal.PtrToStringUTF8(ReadLeaks())!;

    /// <summary>The names of the functions called since the last reset, in the order of their first calls.</summary>
    public static string[] Called => Marshal.PtrToStringUTF8(ReadCalled())!.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The <paramref name="nth"/> next call of a function (1: the next) does nothing but return <paramref name="status"/>.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_fail", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Fail(string call, int nth, int status);

    /// <summary>Sets an option.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Set(string option, nint value);

    /// <summary>How often a function was called since the last reset.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_calls", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Calls(string name);

    /// <summary>How often a kernel was launched since the process began.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_launches", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Launches(string kernel);

    /// <summary>Bytes of device memory in use.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_bytes")]
    public static partial nint Bytes();

    /// <summary>Forgets failures, counts and complaints; options are what they were at first.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_reset")]
    public static partial void Reset();

    /// <summary>Releases everything that was not released.</summary>
    [LibraryImport(Library, EntryPoint = "lipschitz_double_forget")]
    public static partial void Forget();

    [LibraryImport(Library, EntryPoint = "lipschitz_double_complaints")]
    private static partial nint ReadComplaints();

    [LibraryImport(Library, EntryPoint = "lipschitz_double_leaks")]
    private static partial nint ReadLeaks();

    [LibraryImport(Library, EntryPoint = "lipschitz_double_called")]
    private static partial nint ReadCalled();
}
