using System.Collections;
using System.Net.Sockets;
using System.Runtime.Versioning;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>
/// A program that works for this one, such as ssh: it keeps this process's terminal, to ask for a password, and its error output; its input and output
/// are a socket. Ctrl-C does not end it: what it means is this process's to say.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Companion : IDisposable
{
    private const int EndOfPatience = 15; // SIGTERM

    /// <summary>What <see cref="ExplainAsync"/> says of one that has done its work.</summary>
    public const string Succeeded = "it ended with exit code 0";

    private readonly int _pid;
    private readonly Descriptor? _exit;

    private Companion(int pid, Descriptor? exit, Socket socket)
    {
        _pid = pid;
        _exit = exit;
        Socket = socket;
    }

    /// <summary>Its input and output.</summary>
    public Socket Socket { get; }

    /// <summary>Starts a command.</summary>
    /// <param name="command">A command of the shell.</param>
    /// <param name="variables">"NAME=VALUE", beside this process's own variables.</param>
    /// <exception cref="LibcException">There is no shell, or no room for a program.</exception>
    public static Companion Start(string command, params IEnumerable<string> variables)
    {
        var (theirs, ours) = Libc.SocketPair();
        using (theirs)
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(new SafeSocketHandle((nint)ours.DangerousGetHandle(), ownsHandle: true));
                ours.SetHandleAsInvalid();
                var pid = Libc.Spawn(new Libc.SpawnArguments
                {
                    Program = "/bin/sh",
                    // Ignored signals stay ignored in what the shell runs (POSIX, trap); ssh heeds that.
                    Arguments = ["sh", "-c", "trap '' INT QUIT TSTP\n" + command],
                    Environment = [.. OwnEnvironment(), .. variables],
                    Directory = System.Environment.CurrentDirectory,
                    Input = theirs,
                    Output = theirs,
                    StaysInSession = true,
                });
                return new Companion(pid, Libc.OpenProcess(pid), socket);
            }
            catch
            {
                socket?.Dispose();
                ours.Dispose();
                throw;
            }
        }
    }

    /// <summary>How it has ended, in words, which may show a moment after its output has ended; null where it goes on.</summary>
    public async ValueTask<string?> ExplainAsync(TimeSpan patience, TimeProvider time)
    {
        await WaitAsync(patience, time).ConfigureAwait(false);
        return Libc.PeekExit(_pid) switch
        {
            null => null,
            { Code: 127 } => "there is no such command",
            { Signal: { } signal } => $"it was ended by signal {signal}",
            { Code: var code } => $"it ended with exit code {code}",
        };
    }

    /// <summary>Closes its input, gives it a moment to end, and ends it.</summary>
    public async Task EndAsync(TimeSpan patience, TimeProvider time)
    {
        Socket.Dispose();
        if (!await WaitAsync(patience, time).ConfigureAwait(false) && _exit is not null)
        {
            Libc.SendSignal(_exit, EndOfPatience);
            // One that ignores even that is left to the system: it has nothing of ours any more.
            await WaitAsync(patience, time).ConfigureAwait(false);
        }

        Libc.Reap(_pid);
        Dispose();
    }

    private async Task<bool> WaitAsync(TimeSpan patience, TimeProvider time)
    {
        var since = time.GetTimestamp();
        while (Libc.PeekExit(_pid) is null)
        {
            if (time.GetElapsedTime(since) >= patience)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(10), time).ConfigureAwait(false);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Socket.Dispose();
        _exit?.Dispose();
    }

    private static List<string> OwnEnvironment() =>
        [.. System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}")];
}
