using System.IO.Pipelines;
using System.Net.Sockets;
using FurtherLink.Codecs;

namespace FurtherLink.Holding;

/// <summary>
/// A server's connection to the holder: frames out from any thread, frames in one by one. What is sent waits in memory without a bound of
/// its own: who types into a session is bounded before.
/// </summary>
internal sealed class HolderLink : IAsyncDisposable
{
    private const int ReadSize = 64 * 1024;

    private readonly Pipe _outbound = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly Lock _sending = new();
    private readonly FrameWriter _frames;
    private readonly int _maxFrame;
    private Socket? _socket;
    private PipeReader? _inbound;
    private Task _pumping = Task.CompletedTask;
    private bool _closed;

    /// <summary>Makes a link, which keeps what is sent until it is connected.</summary>
    /// <param name="maxFrame">The longest frame that is accepted, in bytes.</param>
    public HolderLink(int maxFrame)
    {
        _maxFrame = maxFrame;
        _frames = new FrameWriter(_outbound.Writer);
    }

    /// <summary>Connects; may be called again where it fails.</summary>
    /// <param name="path">The holder's socket.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public async Task ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        _socket = socket;
        _inbound = PipeReader.Create(new NetworkStream(socket), new StreamPipeReaderOptions(bufferSize: ReadSize, minimumReadSize: ReadSize / 4));
        _pumping = PumpAsync(socket);
    }

    /// <summary>Sends a message. Nothing happens once it is closed.</summary>
    public void Send(HeldMessage message) => Send(message, static (frames, message) => HeldFrames.Write(frames, message));

    /// <summary>Sends what is written.</summary>
    public void Send<T>(T state, Action<FrameWriter, T> write)
    {
        lock (_sending)
        {
            if (_closed)
                return;
            write(_frames, state);
            // Without a bound it never waits.
            var flush = _outbound.Writer.FlushAsync();
            if (!flush.IsCompleted)
                throw new InvalidOperationException("A pipe without a bound has filled up.");
        }
    }

    /// <summary>Hands over each frame that comes, until the other side has ended or this one is closed. Called once.</summary>
    /// <param name="take">Takes a frame, whose body is valid until it has completed.</param>
    public async Task ReceiveAsync(Func<Frame, ValueTask> take)
    {
        var inbound = _inbound ?? throw new InvalidOperationException("It is not connected.");
        try
        {
            while (true)
            {
                var result = await inbound.ReadAsync().ConfigureAwait(false);
                var buffer = result.Buffer;
                try
                {
                    while (Frames.TryRead(ref buffer, _maxFrame, out var frame))
                        await take(frame).ConfigureAwait(false);
                    if (result.IsCompleted || result.IsCanceled)
                        return;
                }
                finally
                {
                    inbound.AdvanceTo(buffer.Start, buffer.End);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The holder has ended, or this side has: an expected end.
        }
    }

    /// <summary>Sends what is still to be sent, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_sending)
            _closed = true;
        await _outbound.Writer.CompleteAsync().ConfigureAwait(false);
        await _pumping.ConfigureAwait(false);
        _inbound?.CancelPendingRead();
        _socket?.Dispose();
    }

    private async Task PumpAsync(Socket socket)
    {
        try
        {
            while (true)
            {
                var result = await _outbound.Reader.ReadAsync().ConfigureAwait(false);
                foreach (var part in result.Buffer)
                    await socket.SendAsync(part, SocketFlags.None).ConfigureAwait(false);
                _outbound.Reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    return;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Told by the receiving side.
        }
        finally
        {
            await _outbound.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }
}
