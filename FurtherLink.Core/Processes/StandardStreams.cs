using FurtherLink.Processes.Io;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>
/// This process's standard input and output for asynchronous use: waiting takes no thread of the pool, is ended by cancellation, and leaves the files
/// as they are for those who share them. They may be pipes, sockets, terminals or files.
/// </summary>
public static class StandardStreams
{
    /// <summary>
    /// Whether a standard stream was open when this process was started. Where it was not, its number is something of the runtime's own now, which nobody
    /// else may read or write.
    /// </summary>
    /// <param name="number">0 = input, 1 = output, 2 = error.</param>
    public static bool IsOpen(int number) => !OperatingSystem.IsLinux() || Libc.IsInherited(number);

    /// <summary>Opens standard input.</summary>
    /// <returns>
    /// One read at a time; one of no bytes waits until there is something. Disposing it leaves standard input open. One that was closed at the start is
    /// at its end.
    /// </returns>
    public static Stream OpenInput() => !OperatingSystem.IsLinux() ? Console.OpenStandardInput() : IsOpen(0) ? new PolledStream(0, writes: false) : Stream.Null;

    /// <summary>Opens standard output.</summary>
    /// <returns>
    /// One write at a time, which fails with an <see cref="IOException"/> where it cannot be done; its HResult is 32 (EPIPE) where nobody reads any more.
    /// Disposing it leaves standard output open.
    /// </returns>
    public static Stream OpenOutput() => OperatingSystem.IsLinux() ? new PolledStream(1, writes: true) : Console.OpenStandardOutput();
}
