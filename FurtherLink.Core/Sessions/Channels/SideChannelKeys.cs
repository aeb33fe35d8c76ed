using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using FurtherLink.Messages;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Sessions.Channels;

/// <summary>The channel on which a program hears of keys: connects to its socket at the first one and keeps the connection. Thread safe.</summary>
/// <param name="directory">Where the program's socket is.</param>
/// <param name="uid">Whose the program is; nobody else is sent anything.</param>
/// <param name="logger">Where it says why nothing was sent.</param>
internal sealed partial class SideChannelKeys(string directory, uint uid, ILogger logger) : IAsyncDisposable
{
    // A person types 10 keys a second: half a minute for a program that is busy.
    private const int MaxWaiting = 256;

    private readonly Channel<Key> _waiting = Channel.CreateBounded<Key>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private Task? _pump;
    private int _processId;
    private Socket? _socket;

    /// <summary>Says which program it is; keys before that go nowhere.</summary>
    public void Open(int processId) => Volatile.Write(ref _processId, processId);

    /// <summary>Queues a key event; it is dropped where nobody can listen yet, or 256 wait already.</summary>
    public void Send(Key key)
    {
        if (Volatile.Read(ref _processId) == 0)
            return;
        if (!_waiting.Writer.TryWrite(key))
            Log.Dropped(logger, _processId);
        lock (_lock)
            _pump ??= PumpAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        Task? pump;
        lock (_lock)
            pump = _pump ??= Task.CompletedTask;
        await pump.ConfigureAwait(false);
        _socket?.Dispose();
    }

    private async Task PumpAsync()
    {
        // Whoever sends a key does not wait for the program.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await foreach (var key in _waiting.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                var message = Encoding.UTF8.GetBytes($"{key.Name} {key.Event} endkeyevent ");
                // A program that has closed and listens again is found at the second try.
                if (!await TrySendAsync(message).ConfigureAwait(false))
                    await TrySendAsync(message).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task<bool> TrySendAsync(ReadOnlyMemory<byte> message)
    {
        try
        {
            _socket ??= await ConnectAsync().ConfigureAwait(false);
            while (_socket is not null && !message.IsEmpty)
                message = message[await _socket.SendAsync(message, SocketFlags.None, _stop.Token).ConfigureAwait(false)..];
            return true;
        }
        catch (SocketException e)
        {
            Log.NotSent(logger, _processId, e.Message);
            _socket?.Dispose();
            _socket = null;
            return false;
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var path = Path.Combine(directory, $"{_processId}.keyevent.sock");
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), _stop.Token).ConfigureAwait(false);
            if (IsOfUser(socket))
                return socket;
            // The directory is the user's: the name may lead to a socket of somebody else, which a server that is root could reach.
            Log.Stranger(logger, path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        socket.Dispose();
        return null;
    }

    private bool IsOfUser(Socket socket)
    {
        // socket(7): SO_PEERCRED (17) of SOL_SOCKET (1) is a struct ucred: pid, uid, gid.
        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(1, 17, credentials) == credentials.Length
            && (BitConverter.IsLittleEndian
                ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..])
                : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..])) == uid;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "A key event was dropped: process {ProcessId} does not read them")]
        public static partial void Dropped(ILogger logger, int processId);

        [LoggerMessage(LogLevel.Debug, "A key event was not sent to process {ProcessId}: {Reason}")]
        public static partial void NotSent(ILogger logger, int processId, string reason);

        [LoggerMessage(LogLevel.Warning, "{Path} is not the program's own; no key events are sent there")]
        public static partial void Stranger(ILogger logger, string path);
    }
}
