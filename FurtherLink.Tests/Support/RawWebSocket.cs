using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FurtherLink.Tests.Support;

/// <summary>
/// A WebSocket client that blocks its thread and does nothing beside moving bytes (RFC 6455), for measuring a server and not its clients.
/// </summary>
internal sealed class RawWebSocket : IDisposable
{
    private const int Text = 1;
    private const int Ping = 9;
    private const int Pong = 10;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Lock _sending = new();
    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;

    /// <summary>Connects to a port of this machine.</summary>
    public RawWebSocket(int port, string pathAndQuery)
    {
        _socket.Connect(IPAddress.Loopback, port);
        _socket.Send(Encoding.ASCII.GetBytes(
            $"GET {pathAndQuery} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
        int head;
        while ((head = _buffer.AsSpan(0, _end).IndexOf("\r\n\r\n"u8)) < 0)
            Fill();
        if (!_buffer.AsSpan(0, head).StartsWith("HTTP/1.1 101"u8))
            throw new IOException(Encoding.ASCII.GetString(_buffer, 0, head));
        _start = head + 4;
    }

    public void Send(string text) => Send(Text, Encoding.UTF8.GetBytes(text));

    /// <summary>The next message, valid until the next call; empty when the server has ended the connection.</summary>
    public ReadOnlySpan<byte> Receive()
    {
        while (true)
        {
            while (_end - _start < 2)
            {
                if (!Fill())
                    return default;
            }

            var kind = _buffer[_start] & 15;
            var size = _buffer[_start + 1] & 127;
            var header = size switch { 126 => 4, 127 => 10, _ => 2 };
            while (_end - _start < header)
                Fill();
            var length = size switch
            {
                126 => BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(_start + 2)),
                127 => (int)BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(_start + 2)),
                _ => size,
            };
            while (_end - _start < header + length)
            {
                if (!Fill(header + length))
                    return default;
            }

            var body = _buffer.AsSpan(_start + header, length);
            _start += header + length;
            if (kind == Text)
                return body;
            if (kind == Ping)
                Send(Pong, body);
            else if (kind == 8)
                return default;
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Send(int kind, ReadOnlySpan<byte> body)
    {
        // The mask is zero, which is one like any other.
        Span<byte> frame = new byte[body.Length + 14];
        frame[0] = (byte)(0x80 | kind);
        int header;
        if (body.Length < 126)
        {
            frame[1] = (byte)(0x80 | body.Length);
            header = 6;
        }
        else
        {
            frame[1] = 0x80 | 126;
            BinaryPrimitives.WriteUInt16BigEndian(frame[2..], checked((ushort)body.Length));
            header = 8;
        }

        body.CopyTo(frame[header..]);
        lock (_sending)
            _socket.Send(frame[..(header + body.Length)]);
    }

    private bool Fill(int need = 0)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_buffer.Length < Math.Max(need, _end + 1))
            Array.Resize(ref _buffer, Math.Max(need, _buffer.Length * 2));
        int count;
        try
        {
            count = _socket.Receive(_buffer.AsSpan(_end));
        }
        catch (SocketException)
        {
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }

        _end += count;
        return count > 0;
    }
}
