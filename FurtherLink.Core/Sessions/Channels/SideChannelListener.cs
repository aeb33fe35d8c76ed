using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Sessions.Channels;

/// <summary>One channel on which a program sends: a listening Unix socket and its connections, each read by a task of its own.</summary>
[SupportedOSPlatform("linux")]
internal sealed partial class SideChannelListener : IDisposable
{
    /// <summary>Bytes of unfinished messages that all connections of a session may hold together: two of the longest.</summary>
    public const int MaxUnfinished = 2 * MaxMessage;

    // A picture of 12 megabytes as base64; it bounds what a program can make the server keep.
    private const int MaxMessage = 16 * 1024 * 1024;

    // Connections read at once; further ones wait in the backlog, and behind that in connect.
    private const int MaxConnections = 16;
    private const int Backlog = 64;

    // What every client must get, in order, is read no faster than 16 KiB in 100 ms: a program that says it without end would
    // otherwise fill the queues of its clients. The newest of something needs no such brake.
    private const int BytesPerPause = 16 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // How long the space behind a terminator may take where a write was cut there; without it, the message counts then.
    private static readonly TimeSpan SpaceTimeout = TimeSpan.FromMilliseconds(20);

    private readonly Delivery _delivery;
    private readonly SessionNotices _notices;
    private readonly ChannelBudget _budget;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Makes the socket under a name of its own; a program that connects waits until <see cref="Start"/>.</summary>
    /// <exception cref="SocketException">It cannot be made.</exception>
    public SideChannelListener(
        string channel, string directory, Delivery delivery, SessionNotices notices, ChannelBudget budget, ILogger logger, TimeProvider time)
    {
        Channel = channel;
        Path = System.IO.Path.Combine(directory, channel + ".sock");
        _delivery = delivery;
        _notices = notices;
        _budget = budget;
        _logger = logger;
        _time = time;
        try
        {
            _socket.Bind(new UnixDomainSocketEndPoint(Path));
            File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The channel's name: the topic of what is published.</summary>
    public string Channel { get; }

    /// <summary>Where the socket is.</summary>
    public string Path { get; private set; }

    /// <summary>Completes when nothing is published any more, after <see cref="Drain"/> or <see cref="Dispose"/>. Never faults.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to accept.</summary>
    public void Start() => Ended = RunAsync();

    /// <summary>Gives the socket the name by which a program of that process group finds it.</summary>
    /// <exception cref="IOException">It is gone.</exception>
    public void Rename(int processId)
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, $"{processId}.{Channel}.sock");
        File.Move(Path, path, overwrite: true);
        Path = path;
    }

    /// <summary>Reads and publishes what lies in the sockets now, and ends.</summary>
    public void Drain() => _drain.Cancel();

    /// <summary>Ends at once; what is unread is lost.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _drain.Cancel();
        _socket.Dispose();
    }

    private async Task RunAsync()
    {
        // Whoever makes the listener does not accept its connections.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var connections = new HashSet<Task>();
        try
        {
            while (true)
            {
                await _places.WaitAsync(_drain.Token).ConfigureAwait(false);
                var accepted = await _socket.AcceptAsync(_drain.Token).ConfigureAwait(false);
                connections.RemoveWhere(c => c.IsCompleted);
                connections.Add(ServeAsync(accepted));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            AcceptRest(connections);
        }
        _socket.Dispose();
        await Task.WhenAll(connections).ConfigureAwait(false);
    }

    /// <summary>Takes what connected before the end: a program may send one picture and exit.</summary>
    private void AcceptRest(HashSet<Task> connections)
    {
        try
        {
            for (var i = 0; i < Backlog + 1 && !_stop.IsCancellationRequested && _socket.Poll(0, SelectMode.SelectRead); i++)
                connections.Add(ServeAsync(_socket.Accept()));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Ended meanwhile.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var parser = new ChannelParser(Channel, MaxMessage, _budget);
        try
        {
            if (!await ReadToEndAsync(socket, parser).ConfigureAwait(false))
                await ReadRestAsync(socket, parser).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Log.ConnectionEnded(_logger, Channel, e.Message);
        }
        finally
        {
            // The other side may have been reset after it had said everything.
            Publish(parser, atRest: true);
            socket.Dispose();
            _places.Release();
        }
    }

    /// <summary>Reads until the program closes.</summary>
    /// <returns>False where draining began before that.</returns>
    private async Task<bool> ReadToEndAsync(Socket socket, ChannelParser parser)
    {
        try
        {
            var unpaused = 0;
            while (true)
            {
                var count = await ReceiveAsync(socket, parser).ConfigureAwait(false);
                if (count == 0)
                    return true;
                Publish(parser, atRest: false);
                unpaused += count;
                if (_delivery == Delivery.Every && unpaused >= BytesPerPause)
                {
                    unpaused = 0;
                    await Task.Delay(Pause, _time, _drain.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<int> ReceiveAsync(Socket socket, ChannelParser parser)
    {
        var receive = socket.ReceiveAsync(parser.GetMemory(), SocketFlags.None, _drain.Token).AsTask();
        if (parser.IsSpaceMissing && !receive.IsCompleted)
        {
            await Task.WhenAny(receive, Task.Delay(SpaceTimeout, _time, _drain.Token)).ConfigureAwait(false);
            if (!receive.IsCompleted)
                Publish(parser, atRest: true);
        }
        var count = await receive.ConfigureAwait(false);
        parser.Advance(count);
        return count;
    }

    /// <summary>Reads what lies in the socket now and no more: a child of the program may go on writing for ever.</summary>
    private async Task ReadRestAsync(Socket socket, ChannelParser parser)
    {
        for (var left = socket.Available; left > 0;)
        {
            var count = await socket.ReceiveAsync(parser.GetMemory(), SocketFlags.None, _stop.Token).ConfigureAwait(false);
            if (count == 0)
                return;
            parser.Advance(count);
            left -= count;
            Publish(parser, atRest: false);
        }
    }

    private void Publish(ChannelParser parser, bool atRest)
    {
        var dropped = parser.Dropped;
        while (parser.TryRead(atRest, out var message))
        {
            if (!_stop.IsCancellationRequested)
                _notices.Publish(Channel, message, _delivery);
        }
        if (parser.Dropped > dropped)
            Log.TooLong(_logger, parser.Dropped - dropped, Path, MaxMessage);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "A connection of the {Channel} channel ended: {Reason}")]
        public static partial void ConnectionEnded(ILogger logger, string channel, string reason);

        [LoggerMessage(LogLevel.Warning, "{Count} messages on {Path} were dropped: a message may hold {Limit} bytes, all unfinished ones twice that")]
        public static partial void TooLong(ILogger logger, int count, string path, int limit);
    }
}
