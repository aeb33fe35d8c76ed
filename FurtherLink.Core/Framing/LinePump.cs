using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using FurtherLink.Codecs;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Framing;

/// <summary>
/// Moves messages between streams of bytes and a pipe of frames, both ways at once: a message is a line of UTF-8 that ends with \n. For pipes,
/// terminals and Unix sockets, at a server's end or a client's. One object per connection; <see cref="ServeAsync"/> is all that a transport over
/// lines needs of it.
/// </summary>
/// <remarks>
/// <para>
/// What comes in: a \r before the \n, an empty line, and a byte order mark at the very start are nothing; what stands behind the last \n when the input
/// ends counts as a line. Of a line that is too long the rest is skipped as it comes, and a frame <see cref="FrameKind.TooLong"/> tells of it; the
/// stream goes on.
/// </para>
/// <para>
/// What goes out: text frames. A \n inside of one would make two lines of it and becomes a space, which means the same between the words of JSON; within
/// a word JSON has none. Lines cannot carry a binary frame: the connection is lost at the first one, as leaving it out would be a hole that nobody is
/// told of. A close frame ends the output; its reason is not said.
/// </para>
/// </remarks>
/// <param name="input">Where lines come from; disposed by the caller after <see cref="StopAsync"/>. Its reads heed cancellation.</param>
/// <param name="output">Where lines go, may be the same; disposed by the caller after <see cref="StopAsync"/>. Its writes heed cancellation.</param>
/// <param name="pipe">The transport's end of the pipe.</param>
/// <param name="maxMessage">The longest line accepted, in bytes without its end.</param>
/// <param name="id">The connection's name in the log.</param>
/// <param name="logger">The log.</param>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source without timer and wait handle holds nothing.")]
public sealed partial class LinePump(Stream input, Stream output, IDuplexPipe pipe, int maxMessage, string id, ILogger logger) : IFramePump
{
    // Read at once: many short lines, or a piece of a long one.
    private const int ReadSize = 16 * 1024;

    private readonly CancellationTokenSource _cut = new();
    private Task _receiving = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;

    /// <summary>
    /// Called once when nothing more is sent, with the bytes of all frames that were sent whole, their headers in the pipe included
    /// (<see cref="LinkConnection.Lose"/>); null = nobody wants to know.
    /// </summary>
    public Action<long>? Lost { get; init; }

    /// <summary>
    /// Called once when nothing more is sent: ends the output so that the other side sees it (<see cref="Socket.Shutdown"/>). Null = it sees
    /// it when the stream is disposed.
    /// </summary>
    public Action? EndOutput { get; init; }

    /// <summary>
    /// Whether it reads on for the other side's end after its own, as a socket that is closed with bytes unread takes away what was sent last. Default
    /// true; false for pipes and terminals.
    /// </summary>
    public bool Lingers { get; init; } = true;

    /// <summary>Serves a connection over lines to its end. It does not throw for what the other side does.</summary>
    /// <param name="server">Serves it.</param>
    /// <param name="connection">The connection, with the server's end of a pair of pipes (<see cref="LinkPipe"/>).</param>
    /// <param name="pump">Has the transport's end of the pair; not started.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static Task ServeAsync(ILinkServer server, LinkConnection connection, LinePump pump, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(pump);
        return FramePump.ServeAsync(server, connection, pump, cancellationToken);
    }

    /// <summary>Begins moving.</summary>
    public void Start()
    {
        _sending = SendAllAsync();
        _receiving = ReceiveAllAsync();
    }

    /// <summary>Ends it after the owner has completed its end of the pipe: what is on its way is sent, and the other side's end heard within a time.</summary>
    /// <param name="patience">How long all of that may take before the connection is cut.</param>
    public async Task StopAsync(TimeSpan patience)
    {
        var all = Task.WhenAll(_sending, _receiving);
        try
        {
            await (Lingers ? all : _sending).WaitAsync(patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.Cut(logger, id);
        }
        await _cut.CancelAsync().ConfigureAwait(false);
        await all.ConfigureAwait(false);
    }

    private async Task ReceiveAllAsync()
    {
        var frames = pipe.Output;
        var lines = new LineDecoder(frames, maxMessage);
        try
        {
            while (await ReceiveAsync(lines, frames).ConfigureAwait(false))
                continue;
        }
        catch (Exception e) when (IsLoss(e))
        {
            Log.Lost(logger, id, e.Message);
            await _cut.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            await frames.CompleteAsync().ConfigureAwait(false);
        }
        await LingerAsync().ConfigureAwait(false);
    }

    /// <summary>Receives what there is, at most a buffer.</summary>
    /// <returns>False where no more will come, or nobody wants it.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveAsync(LineDecoder lines, PipeWriter frames)
    {
        // Without a buffer, so that a connection that is idle holds none; a stream that does not know this waits in the next one.
        await input.ReadAsync(Memory<byte>.Empty, _cut.Token).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            var count = await input.ReadAsync(buffer.AsMemory(), _cut.Token).ConfigureAwait(false);
            if (count == 0)
                lines.End();
            for (var rest = buffer.AsMemory(0, count); !rest.IsEmpty;)
            {
                rest = rest[lines.Take(rest.Span)..];
                if (!lines.IsOpen && (await frames.FlushAsync(CancellationToken.None).ConfigureAwait(false)).IsCompleted)
                    return false;
            }
            return count > 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads on to the other side's end where it has not come: for the sake of what was sent last.</summary>
    private async Task LingerAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            while (Lingers && await input.ReadAsync(buffer.AsMemory(), _cut.Token).ConfigureAwait(false) > 0)
                continue;
        }
        catch (Exception e) when (IsLoss(e))
        {
            // Whoever cut it has said so.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task SendAllAsync()
    {
        var frames = pipe.Input;
        var lines = new LineEncoder(output, _cut.Token);
        try
        {
            while (await SendAsync(frames, lines).ConfigureAwait(false))
                continue;
        }
        catch (Exception e) when (IsLoss(e))
        {
            Log.Lost(logger, id, e.Message);
            await _cut.CancelAsync().ConfigureAwait(false);
        }

        Lost?.Invoke(lines.Sent);
        End();
        await FramePump.DropAsync(frames).ConfigureAwait(false);
    }

    private void End()
    {
        try
        {
            EndOutput?.Invoke();
        }
        catch (Exception e) when (IsLoss(e))
        {
            Log.Lost(logger, id, e.Message);
        }
    }

    /// <summary>Sends what is in the pipe.</summary>
    /// <returns>False where nothing more is to be sent.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<bool> SendAsync(PipeReader frames, LineEncoder lines)
    {
        var result = await frames.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        var buffer = result.Buffer;
        var all = buffer;
        var before = lines.Sent;
        try
        {
            while (Frames.TryRead(ref buffer, int.MaxValue, out var frame))
            {
                if (frame.Kind is not FrameKind.Text)
                {
                    await lines.FlushAsync().ConfigureAwait(false);
                    return frame.Kind is FrameKind.Close ? false : throw new IOException($"lines cannot carry a {frame.Kind} frame");
                }
                await lines.AddAsync(frame).ConfigureAwait(false);
            }
            await lines.FlushAsync().ConfigureAwait(false);
            return !result.IsCompleted;
        }
        finally
        {
            lines.Release();
            // What was not sent is not taken: the server must not think that the client has it.
            frames.AdvanceTo(all.GetPosition(lines.Sent - before), all.End);
        }
    }

    /// <summary>Whether an exception says that the connection is lost, or was cut: an expected end.</summary>
    private static bool IsLoss(Exception e) => e is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is lost: {Why}")]
        public static partial void Lost(ILogger logger, string connectionId, string why);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is cut: its other side did not end in time")]
        public static partial void Cut(ILogger logger, string connectionId);
    }
}
