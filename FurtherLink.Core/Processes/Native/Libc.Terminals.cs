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

    /// <summary>Reads what is there, and waits while nothing is.</summary>
    /// <returns>The number of bytes; 0 = end.</returns>
    internal static int ReadWaiting(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = read(descriptor, start, (nuint)buffer.Length);
                if (count >= 0)
                    return (int)count;
                switch (Marshal.GetLastPInvokeError())
                {
                    case EIntr: continue;
                    case EAgain: Wait(descriptor, PollIn); continue;
                    case EIo: return 0; // a terminal that has hung up
                    default: throw LibcException.Last("read");
                }
            }
        }
    }

    /// <summary>Writes everything, and waits while there is no room.</summary>
    /// <returns>False where the other end is closed.</returns>
    internal static bool WriteWaiting(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            var written = 0;
            while (written < bytes.Length)
            {
                var count = write(descriptor, start + written, (nuint)(bytes.Length - written));
                if (count >= 0)
                {
                    written += (int)count;
                    continue;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case EIntr: continue;
                    case EAgain: Wait(descriptor, PollOut); continue;
                    case EPipe or EIo: return false;
                    default: throw LibcException.Last("write");
                }
            }
        }

        return true;
    }

    private const short PollIn = 0x1;
    private const short PollOut = 0x4;

    // Whoever started this process may have left a descriptor not blocking, as it is shared.
    private static void Wait(int descriptor, short events)
    {
        // struct pollfd: the descriptor, what is asked, what is answered.
        var item = stackalloc short[4];
        *(int*)item = descriptor;
        item[2] = events;
        while (poll(item, 1, -1) < 0)
        {
            if (Marshal.GetLastPInvokeError() != EIntr)
                throw LibcException.Last("poll");
        }
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

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(void* items, nuint count, int timeout);
}
