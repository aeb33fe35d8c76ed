using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using FurtherLink.Codecs;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Framing;

/// <summary>
/// Moves messages between a WebSocket and a pipe of frames, both ways at once: a message is a frame, received into the pipe's memory
/// and sent out of it. One object per connection. <see cref="ServeAsync"/> is all that a transport over WebSockets needs of it.
/// </summary>
/// <param name="socket">The socket; disposed by the caller after <see cref="StopAsync"/>.</param>
/// <param name="pipe">The transport's end of the pipe.</param>
/// <param name="maxMessage">The longest message accepted, in bytes; a longer one ends the connection with 1009.</param>
/// <param name="id">The connection's name in the log.</param>
/// <param name="logger">The log.</param>
public sealed partial class WebSocketPump(WebSocket socket, IDuplexPipe pipe, int maxMessage, string id, ILogger logger) : IFramePump
{
    // A message that the pipe keeps in several pieces is sent in pieces of at most this, of 64 KiB of output with its JSON around it mostly one.
    private const int MaxPiece = 128 * 1024;

    // Of somebody unknown no more is read until it is known who that is: a token is short, and so is what may be said beside it.
    private const int MaxUnknown = 64 * 1024;

    private Task _receiving = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;
    private volatile bool _received;
    private long _sentBytes;
    private long _unknownBytes;
    private WebSocketCloseStatus _closeStatus = WebSocketCloseStatus.NormalClosure;
    private string _closeReason = "";

    /// <summary>
    /// Called once when nothing more is sent, with the bytes of all frames that were sent whole, their headers in the pipe included
    /// (<see cref="LinkConnection.Lose"/>); null = nobody wants to know.
    /// </summary>
    public Action<long>? Lost { get; init; }

    /// <summary>What is served; null, the default = a client's end.</summary>
    private LinkConnection? Served { get; init; }

    /// <summary>Serves a connection over a WebSocket to its end, and says goodbye. It does not throw for what the other side does.</summary>
    /// <param name="server">Serves it.</param>
    /// <param name="connection">The connection, with the server's end of a pair of pipes (<see cref="LinkPipe"/>).</param>
    /// <param name="socket">The socket, open; disposed by the caller.</param>
    /// <param name="transport">The transport's end of the pair.</param>
    /// <param name="maxMessage">The longest message accepted, in bytes; a longer one ends the connection with 1009.</param>
    /// <param name="logger">The log.</param>
    /// <param name="cancellationToken">Ends it: the other side is told with 1001 where there is still time.</param>
    public static Task ServeAsync(
        ILinkServer server, LinkConnection connection, WebSocket socket, IDuplexPipe transport, int maxMessage, ILogger logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var pump = new WebSocketPump(socket, transport, maxMessage, connection.Id, logger) { Lost = connection.Lose, Served = connection };
        return FramePump.ServeAsync(server, connection, pump, cancellationToken);
    }

    /// <summary>Begins moving.</summary>
    public void Start()
    {
        _sending = SendAllAsync();
        _receiving = ReceiveAllAsync();
    }

    /// <summary>Ends it after the server has completed its end of the pipe: says goodbye, and hears the client's within a time.</summary>
    /// <param name="patience">How long all of that may take before the connection is cut.</param>
    public async Task StopAsync(TimeSpan patience)
    {
        var all = Task.WhenAll(_sending, _receiving);
        try
        {
            await all.WaitAsync(patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.Cut(logger, id);
            socket.Abort();
            await all.ConfigureAwait(false);
        }
    }

    private async Task ReceiveAllAsync()
    {
        var output = pipe.Output;
        var isServerGone = false;
        try
        {
            while (!isServerGone && await ReceiveAsync(output).ConfigureAwait(false))
                isServerGone = (await output.FlushAsync(CancellationToken.None).ConfigureAwait(false)).IsCompleted;
        }
        catch (Exception e) when (IsLoss(e))
        {
            Log.Lost(logger, id, e.Message);
        }
        finally
        {
            _received = !isServerGone;
            await output.CompleteAsync().ConfigureAwait(false);
            pipe.Input.CancelPendingRead();
        }
        await LingerAsync().ConfigureAwait(false);
    }

    /// <summary>Reads on for the client's goodbye where it has not said it: closing with bytes unread would take ours away from it.</summary>
    private async Task LingerAsync()
    {
        try
        {
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent && await SkipAsync().ConfigureAwait(false))
                continue;
        }
        catch (Exception e) when (IsLoss(e))
        {
            Log.Lost(logger, id, e.Message);
        }
    }

    /// <summary>Receives a message into the pipe, without flushing it.</summary>
    /// <returns>False where no more will come.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveAsync(PipeWriter output)
    {
        // Without a buffer, so that a connection that is idle holds none.
        var part = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
        if (part.MessageType == WebSocketMessageType.Close)
            return false;
        var header = output.GetMemory(Frames.HeaderSize)[..Frames.HeaderSize];
        header.Span[0] = (byte)(part.MessageType == WebSocketMessageType.Text ? FrameKind.Text : FrameKind.Binary);
        output.Advance(Frames.HeaderSize);
        var length = 0;
        while (!part.EndOfMessage)
        {
            // One more than there is, so that a message that is never finished stays a cut-off one.
            BinaryPrimitives.WriteInt32LittleEndian(header.Span[1..], length + 1);
            var memory = output.GetMemory();
            if (memory.Length > maxMessage - length)
                memory = memory[..(maxMessage - length + 1)];
            if (_unknownBytes > MaxUnknown && Served is { } served && !await served.Known.ConfigureAwait(false))
                return false;
            part = await socket.ReceiveAsync(memory, CancellationToken.None).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
                return false;
            if (length + part.Count > maxMessage)
            {
                _closeStatus = WebSocketCloseStatus.MessageTooBig;
                _closeReason = $"messages may have {maxMessage} bytes";
                return false;
            }
            output.Advance(part.Count);
            length += part.Count;
            if (Served is { Known.IsCompleted: false })
                _unknownBytes += part.Count;
        }
        BinaryPrimitives.WriteInt32LittleEndian(header.Span[1..], length);
        return true;
    }

    private async ValueTask<bool> SkipAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            return (await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false)).MessageType != WebSocketMessageType.Close;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task SendAllAsync()
    {
        var input = pipe.Input;
        try
        {
            while (await SendAsync(input).ConfigureAwait(false))
                continue;
            await socket.CloseOutputAsync(_closeStatus, _closeReason, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (IsLoss(e))
        {
            Log.Lost(logger, id, e.Message);
            socket.Abort();
        }

        Lost?.Invoke(_sentBytes);
        await FramePump.DropAsync(input).ConfigureAwait(false);
    }

    /// <summary>Sends what is in the pipe.</summary>
    /// <returns>False where nothing more is to be sent but the close.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> SendAsync(PipeReader input)
    {
        var result = await input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        var buffer = result.Buffer;
        var sent = buffer.Start;
        try
        {
            // A client that has said goodbye hears no more.
            while (!_received && Frames.TryRead(ref buffer, int.MaxValue, out var frame))
            {
                if (frame.Kind == FrameKind.Close)
                {
                    ReadClose(frame.Body);
                    return false;
                }
                await SendAsync(frame).ConfigureAwait(false);
                sent = buffer.Start;
                _sentBytes += Frames.HeaderSize + frame.Body.Length;
            }
            return !_received && !result.IsCompleted;
        }
        finally
        {
            // What was not sent is not taken: the server must not think that the client has it.
            input.AdvanceTo(sent, buffer.End);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAsync(Frame frame)
    {
        var type = frame.Kind == FrameKind.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
        if (frame.Body.IsSingleSegment)
        {
            await socket.SendAsync(frame.Body.First, type, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(frame.Body.Length, MaxPiece));
        try
        {
            var rest = frame.Body;
            while (!rest.IsEmpty)
            {
                var piece = rest.Slice(0, Math.Min(rest.Length, buffer.Length));
                piece.CopyTo(buffer);
                rest = rest.Slice(piece.End);
                await socket.SendAsync(buffer.AsMemory(0, (int)piece.Length), type, rest.IsEmpty, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void ReadClose(ReadOnlySequence<byte> body)
    {
        if (body.Length < 2)
            return;
        Span<byte> code = stackalloc byte[2];
        body.Slice(0, 2).CopyTo(code);
        _closeStatus = (WebSocketCloseStatus)BinaryPrimitives.ReadUInt16BigEndian(code);
        _closeReason = Encoding.UTF8.GetString(body.Slice(2));
    }

    /// <summary>Whether an exception says that the connection is lost, or was cut: an expected end.</summary>
    private static bool IsLoss(Exception e) => e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is lost: {Why}")]
        public static partial void Lost(ILogger logger, string connectionId, string why);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is cut: its client did not say goodbye in time")]
        public static partial void Cut(ILogger logger, string connectionId);
    }
}
