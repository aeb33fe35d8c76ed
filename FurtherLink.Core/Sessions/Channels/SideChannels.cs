using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Native;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Sessions.Channels;

/// <summary>
/// What a program exchanges with its clients beside its streams, over Unix sockets in a directory of the session's own: it sends
/// pictures ("video") and the keys that it wants to hear of ("keylisten"), and receives key events ("keyevent"). Thread safe.
/// </summary>
/// <remarks>
/// The sockets are <c>PID.video.sock</c>, <c>PID.keylisten.sock</c> (the server listens) and <c>PID.keyevent.sock</c> (the program
/// does), in the directory that <c>FURTHER_LINK_TEMP_DIR</c> names. It is readable by the run's user alone.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed partial class SideChannels : IAsyncDisposable
{
    // sockaddr_un holds 108 bytes with the final zero: this many for the directory and its slash.
    private const int MaxDirectoryBytes = 108 - 1 - 1 - 22;  // 22: "4194304.keylisten.sock", the longest name there is

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    private readonly PrivateDirectory _directory;
    private readonly SideChannelListener[] _listeners;
    private readonly SideChannelKeys _keys;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private Task? _drained;
    private int _disposed;

    private SideChannels(PrivateDirectory directory, SideChannelListener[] listeners, SideChannelKeys keys, ILogger logger, TimeProvider time)
    {
        _directory = directory;
        _listeners = listeners;
        _keys = keys;
        _logger = logger;
        _time = time;
        Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["FURTHER_LINK_TEMP_DIR"] = directory.Path };
    }

    /// <summary>The variables by which a program finds its channels.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Makes the directory and begins to listen, before the program exists.</summary>
    /// <param name="tempDirectory">Where the directory is made; where its path is too long for a socket, "/tmp".</param>
    /// <param name="user">Whose the directory and the sockets are.</param>
    /// <param name="notices">Where "video" (the latest) and "keylisten" (every one) are published, as strings.</param>
    /// <param name="logger">Where it says what it dropped.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="ledger">Where the directory is written down; null = nowhere.</param>
    /// <exception cref="LinkException">The directory or a socket cannot be made.</exception>
    public static SideChannels Create(string tempDirectory, UserAccount user, SessionNotices notices, ILogger logger, TimeProvider? time = null, Ledger? ledger = null)
    {
        time ??= TimeProvider.System;
        PrivateDirectory? directory = null;
        var listeners = new List<SideChannelListener>();
        try
        {
            directory = MakeDirectory(tempDirectory, ledger);
            var budget = new ChannelBudget(SideChannelListener.MaxUnfinished);
            listeners.Add(new SideChannelListener("video", directory.Path, Delivery.Latest, notices, budget, logger, time));
            listeners.Add(new SideChannelListener("keylisten", directory.Path, Delivery.Every, notices, budget, logger, time));
            if (user.Uid != UserAccount.Current.Uid)
            {
                foreach (var listener in listeners)
                    Libc.Give(listener.Path, user.Uid, user.Gid);
                directory.GiveTo(user);
            }
            foreach (var listener in listeners)
                listener.Start();
            return new SideChannels(directory, [.. listeners], new SideChannelKeys(directory.Path, user.Uid, logger), logger, time);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            foreach (var listener in listeners)
                listener.Dispose();
            directory?.Dispose();
            throw new LinkException(FailureCode.Failed, $"start: no side channels in {tempDirectory}: {e.Message}", e);
        }
    }

    /// <summary>Gives the sockets the names that the program looks for.</summary>
    /// <param name="processId">The program's process id, which is its process group too.</param>
    public void Open(int processId)
    {
        foreach (var listener in _listeners)
        {
            try
            {
                listener.Rename(processId);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The program runs already and the directory is its own: it may have removed what is in it.
                Log.NotNamed(_logger, listener.Channel, processId, e.Message);
            }
        }
        _keys.Open(processId);
    }

    /// <summary>
    /// Hands a key event to the program; nothing happens where it does not listen. At most 256 wait for a program that does not read
    /// them; further ones are dropped.
    /// </summary>
    public ValueTask SendKeyAsync(Key key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _keys.Send(key);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Publishes what the program had sent when it ended, then closes the channels. What lay in the sockets is all that is read, for
    /// at most 2 s, also where a child of the program holds them open.
    /// </summary>
    public Task DrainAsync()
    {
        lock (_listeners)
            return _drained ??= DrainOnceAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        foreach (var listener in _listeners)
            listener.Dispose();
        foreach (var listener in _listeners)
            await listener.Ended.ConfigureAwait(false);
        await _keys.DisposeAsync().ConfigureAwait(false);
        _directory.Dispose();
    }

    private static PrivateDirectory MakeDirectory(string parent, Ledger? ledger)
    {
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const string Prefix = "furtherlink-";
        // 16: the random part of the name.
        var bytes = Encoding.UTF8.GetByteCount(Path.GetFullPath(parent)) + 1 + Prefix.Length + 16;
        return PrivateDirectory.Create(bytes <= MaxDirectoryBytes ? parent : "/tmp", Prefix, Mode, ledger);
    }

    private async Task DrainOnceAsync()
    {
        foreach (var listener in _listeners)
            listener.Drain();
        try
        {
            await Task.WhenAll(_listeners.Select(l => l.Ended)).WaitAsync(DrainTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.NotDrained(_logger, _directory.Path);
            foreach (var listener in _listeners)
                listener.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "The {Channel} channel of process {ProcessId} was not opened: {Reason}")]
        public static partial void NotNamed(ILogger logger, string channel, int processId, string reason);

        [LoggerMessage(LogLevel.Warning, "The side channels in {Directory} were not read to their end in time; the rest is dropped")]
        public static partial void NotDrained(ILogger logger, string directory);
    }
}
