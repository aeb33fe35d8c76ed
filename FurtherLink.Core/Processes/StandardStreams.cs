using FurtherLink.Processes.Io;

namespace FurtherLink.Processes;

/// <summary>
/// This process's standard input and output for asynchronous use: waiting takes no thread of the pool, is ended by cancellation, and leaves the files
/// as they are for those who share them. They may be pipes, sockets, terminals or files.
/// </summary>
public static class StandardStreams
{
    /// <summary>Opens standard input.</summary>
    /// <returns>One read at a time; one of no bytes waits until there is something. Disposing it leaves standard input open.</returns>
    public static Stream OpenInput() => OperatingSystem.IsLinux() ? new PolledStream(0, writes: false) : Console.OpenStandardInput();

    /// <summary>Opens standard output.</summary>
    /// <returns>One write at a time, which fails with an <see cref="IOException"/> where nobody reads any more. Disposing it leaves standard output open.</returns>
    public static Stream OpenOutput() => OperatingSystem.IsLinux() ? new PolledStream(1, writes: true) : Console.OpenStandardOutput();
}
