using System.Runtime.InteropServices;
using FurtherLink.Messages;

namespace FurtherLink.Processes.Native;

/// <summary>The terminal and the standard descriptors that this process was started with.</summary>
internal static unsafe partial class Libc
{
    /// <summary>The size of a buffer for a terminal's settings: struct termios has 60 bytes.</summary>
    internal const int TerminalSettingsSize = 64;

    /// <summary>Whether a descriptor is a terminal.</summary>
    internal static bool IsTerminal(int descriptor) => isatty(descriptor) == 1;

    /// <summary>The size of a terminal's window; null where the descriptor is none, or its size is not known.</summary>
    internal static TerminalSize? WindowSizeOf(int descriptor)
    {
        const uint GetSize = 0x5413; // TIOCGWINSZ
        var size = stackalloc ushort[4];
        return ioctl(descriptor, GetSize, size) == 0 && size[0] > 0 && size[1] > 0 ? new TerminalSize(size[0], size[1]) : null;
    }

    /// <summary>Reads a terminal's settings.</summary>
    /// <returns>False where the descriptor is none.</returns>
    internal static bool TryGetTerminalSettings(int descriptor, Span<byte> settings)
    {
        fixed (byte* start = settings)
            return tcgetattr(descriptor, start) == 0;
    }

    /// <summary>Changes settings so that a terminal hands on every byte as it is typed and shows what is written to it unchanged, cfmakeraw(3).</summary>
    internal static void MakeRaw(Span<byte> settings)
    {
        fixed (byte* start = settings)
            cfmakeraw(start);
    }

    /// <summary>Gives a terminal its settings, once what was written to it has been shown. What is typed already stays.</summary>
    internal static bool TrySetTerminalSettings(int descriptor, ReadOnlySpan<byte> settings)
    {
        const int AfterOutput = 1; // TCSADRAIN
        fixed (byte* start = settings)
        {
            while (tcsetattr(descriptor, AfterOutput, start) != 0)
            {
                if (Marshal.GetLastPInvokeError() != EIntr)
                    return false;
            }
        }

        return true;
    }

    [LibraryImport("libc")]
    private static partial int isatty(int descriptor);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int terminal, byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int terminal, int when, byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, nuint request, void* argument);
}
