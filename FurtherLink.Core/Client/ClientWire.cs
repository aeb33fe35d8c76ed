using System.Text;
using System.Threading.Channels;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>
/// One connection while it lasts: two loops, one that sends what is posted in its order, one that hands on what is received. Posting is thread
/// safe and never waits; what is posted is bounded by the windows of those who post.
/// </summary>
internal sealed class ClientWire : IAsyncDisposable
{
    private readonly ClientLink _link;
    private readonly int _maxMessage;
    private readonly Action<ServerMessage> _received;
    private readonly FurtherClientCodec _codec = new FurtherClientCodec();
    private readonly Channel<ClientMessage> _posted = Channel.CreateUnbounded<ClientMessage>(new UnboundedChannelOptions { SingleReader = true });
    private Task _sending = Task.CompletedTask;

    /// <summary>Makes it.</summary>
    /// <param name="link">The connection, which is disposed with this.</param>
    /// <param name="maxMessage">The longest message that is taken.</param>
    /// <param name="received">Called with every message, one at a time; must not wait. The message is borrowed.</param>
    public ClientWire(ClientLink link, int maxMessage, Action<ServerMessage> received)
    {
        _link = link;
        _maxMessage = maxMessage;
        _received = received;
    }

    /// <summary>Completes when the connection has ended; its result says why. Never faults.</summary>
    public Task<string> Ended { get; private set; } = Task.FromResult("it was never begun");

    /// <summary>Begins.</summary>
    public void Start()
    {
        _sending = SendAsync();
        Ended = ReceiveAsync();
    }

    /// <summary>Sends a message, sooner or later; nothing happens where the connection has ended.</summary>
    public void Post(ClientMessage message) => _posted.Writer.TryWrite(message);

    /// <summary>Sends what is posted, says goodbye and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _posted.Writer.TryComplete();
        await _sending.ConfigureAwait(false);
        _link.Frames.Input.CancelPendingRead();
        await Ended.ConfigureAwait(false);
        await _link.DisposeAsync().ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        await Task.Yield();
        var output = _link.Frames.Output;
        var frames = new FrameWriter(output);
        var posted = _posted.Reader;
        var isOpen = true;
        try
        {
            while (isOpen && await posted.WaitToReadAsync().ConfigureAwait(false))
            {
                while (posted.TryRead(out var message))
                    FurtherClientCodec.Encode(message, frames);
                isOpen = !(await output.FlushAsync().ConfigureAwait(false)).IsCompleted;
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The receiving side says why.
        }
        finally
        {
            _posted.Writer.TryComplete();
            await output.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async Task<string> ReceiveAsync()
    {
        await Task.Yield();
        var input = _link.Frames.Input;
        string? why = null;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync().ConfigureAwait(false);
                var buffer = result.Buffer;
                try
                {
                    while (Frames.TryRead(ref buffer, _maxMessage, out var frame))
                    {
                        if (frame.Kind == FrameKind.TooLong)
                            return $"the server has sent a message of more than {_maxMessage} bytes";
                        if (frame.Kind == FrameKind.Close)
                            why = Reason(frame) ?? why;
                        else if (_codec.TryDecode(frame, out var message))
                            _received(message);
                    }
                }
                finally
                {
                    input.AdvanceTo(buffer.Start, buffer.End);
                }

                if (result.IsCanceled)
                    return "it was closed here";
                if (result.IsCompleted)
                    return why ?? await _link.ExplainAsync().ConfigureAwait(false) ?? "the server has ended the connection";
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or LinkException)
        {
            return e.Message;
        }
        finally
        {
            _posted.Writer.TryComplete();
            await input.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static string? Reason(in Frame frame) =>
        frame.Body.Length > 2 ? Encoding.UTF8.GetString(frame.Body.Slice(2)) : null;
}
