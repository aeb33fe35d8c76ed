using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Security;

namespace FurtherLink.Tests.Support;

/// <summary>A client's end of a connection, whatever the transport: frames in order, and a way to cut it.</summary>
internal interface ITestWire : IAsyncDisposable
{
    Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> body);

    /// <summary>The next frame; null when the server has ended the connection.</summary>
    Task<(FrameKind Kind, byte[] Body)?> ReceiveAsync();

    /// <summary>Breaks the connection without a word.</summary>
    Task CutAsync();
}

/// <summary>A connection in memory.</summary>
internal sealed class MemoryWire : ITestWire
{
    private readonly IDuplexPipe _transport;
    private readonly IDuplexPipe _server;
    private readonly LinkConnection _connection;
    private readonly FrameWriter _writer;
    private readonly CancellationTokenSource _stop = new();
    private long _taken;

    public MemoryWire(ILinkServer server, Func<IDuplexPipe, LinkConnection>? connect = null)
    {
        (_transport, _server) = LinkPipe.CreatePair();
        _writer = new FrameWriter(_transport.Output);
        _connection = connect?.Invoke(_server) ?? new LinkConnection("test", "further", _server) { Principal = Rights.Grant("test", Messages.Access.Own) };
        Serving = ServeAsync(server, _connection);
    }

    /// <summary>Completes when the server has let go of the connection.</summary>
    public Task Serving { get; }

    /// <summary>The bytes that the server sends, unread.</summary>
    public PipeReader Raw => _transport.Input;

    public async Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> body)
    {
        _writer.Write(kind, body.Span);
        await _transport.Output.FlushAsync();
    }

    public async Task<(FrameKind Kind, byte[] Body)?> ReceiveAsync()
    {
        while (true)
        {
            var result = await _transport.Input.ReadAsync().AsTask().WaitAsync(Patience.Long);
            var buffer = result.Buffer;
            if (Frames.TryRead(ref buffer, int.MaxValue, out var frame))
            {
                var received = (frame.Kind, frame.Body.ToArray());
                _taken += Frames.HeaderSize + frame.Body.Length;
                _transport.Input.AdvanceTo(buffer.Start);
                return received;
            }

            _transport.Input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
                return null;
        }
    }

    /// <summary>The host stops.</summary>
    public Task StopServerAsync() => _stop.CancelAsync();

    public async Task CutAsync()
    {
        _connection.Lose(_taken);
        await _transport.Input.CompleteAsync();
        await _transport.Output.CompleteAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CutAsync();
        await Serving.WaitAsync(Patience.Long);
        _stop.Dispose();
    }

    private async Task ServeAsync(ILinkServer server, LinkConnection connection)
    {
        await server.ServeAsync(connection, _stop.Token);
        await _server.Output.CompleteAsync();
        await _server.Input.CompleteAsync();
    }
}

internal static class TestWireExtensions
{
    public static Task SendAsync(this ITestWire wire, string text) => wire.SendAsync(FrameKind.Text, Encoding.UTF8.GetBytes(text));
}
