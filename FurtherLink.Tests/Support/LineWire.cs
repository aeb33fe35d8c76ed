using System.Net.Sockets;
using System.Text;
using FurtherLink.Codecs;

namespace FurtherLink.Tests.Support;

/// <summary>A connection over lines, as a client in any language writes and reads them.</summary>
/// <param name="input">Where the server's lines come from.</param>
/// <param name="output">Where lines go.</param>
/// <param name="cut">Breaks it; null = by closing both.</param>
internal sealed class LineWire(Stream input, Stream output, Action? cut = null) : ITestWire
{
    private readonly StreamReader _reader = new(input, new UTF8Encoding(false, throwOnInvalidBytes: true));

    /// <summary>Connects to a Unix domain socket.</summary>
    public static async Task<LineWire> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).WaitAsync(Patience.Long);
        var stream = new NetworkStream(socket, ownsSocket: true);
        return new LineWire(stream, stream) { Socket = socket };
    }

    /// <summary>The socket; null where it is none.</summary>
    public Socket? Socket { get; private init; }

    public async Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> body)
    {
        await output.WriteAsync((byte[])[.. body.Span, (byte)'\n']);
        await output.FlushAsync();
    }

    public async Task<(FrameKind Kind, byte[] Body)?> ReceiveAsync()
    {
        var line = await _reader.ReadLineAsync().WaitAsync(Patience.Long);
        return line is null ? null : (FrameKind.Text, Encoding.UTF8.GetBytes(line));
    }

    public Task CutAsync()
    {
        if (cut is not null)
        {
            cut();
            return Task.CompletedTask;
        }

        output.Dispose();
        input.Dispose();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await CutAsync();
}
