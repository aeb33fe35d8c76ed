using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace FurtherLink.Load.Peers;

/// <summary>A <see cref="Link"/> over a WebSocket: the frames are written and read here, for no client library is in the way then.</summary>
internal class WebSocketLink : Link
{
    private const int Text = 1;
    private const int Close = 8;
    private const int Ping = 9;
    private const int Pong = 10;
    private readonly int _opcode;
    private readonly byte[] _frame = new byte[(1 << 20) + 14];

    /// <summary>Connects.</summary>
    /// <param name="socket">A connection to the server.</param>
    /// <param name="path">The address on it.</param>
    /// <param name="binary">Whether it sends binary frames; else texts.</param>
    public WebSocketLink(Socket socket, string path, bool binary)
        : base(socket)
    {
        _opcode = binary ? 2 : Text;
        SendAll(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
        int end;
        while ((end = Pending.IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!Fill())
                throw new InvalidOperationException($"{path} is no WebSocket: the connection was closed");
        }
        var answer = Encoding.ASCII.GetString(Pending[..end]);
        if (!answer.StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
            throw new InvalidOperationException($"{path} is no WebSocket: {answer}");
        Skip(end + 4);
    }

    /// <summary>Sends one message, with a mask of zeros.</summary>
    public sealed override void Send(ReadOnlySpan<byte> input) => SendFrame(_opcode, WriteMessage(input, _frame.AsSpan(14)));

    /// <summary>Sends the payload that has been written.</summary>
    private void SendFrame(int opcode, int length)
    {
        var header = length < 126 ? 6 : length < 65536 ? 8 : 14;
        var start = 14 - header;
        _frame.AsSpan(start, header).Clear();
        _frame[start] = (byte)(0x80 | opcode);
        _frame[start + 1] = (byte)(0x80 | (length < 126 ? length : length < 65536 ? 126 : 127));
        if (header == 8)
            BinaryPrimitives.WriteUInt16BigEndian(_frame.AsSpan(start + 2), (ushort)length);
        else if (header == 14)
            BinaryPrimitives.WriteUInt64BigEndian(_frame.AsSpan(start + 2), (ulong)length);
        SendAll(_frame.AsSpan(start, header + length));
    }

    /// <inheritdoc/>
    public sealed override void Hash(ReadOnlySpan<byte> kept, IncrementalHash hash)
    {
        while (TryFrame(kept, out var opcode, out var payload, out var size))
        {
            if (opcode <= 2)
                HashMessage(payload, hash);
            kept = kept[size..];
        }
    }

    /// <summary>Puts input into the message that carries it.</summary>
    /// <returns>The message's length.</returns>
    protected virtual int WriteMessage(ReadOnlySpan<byte> input, Span<byte> message)
    {
        input.CopyTo(message);
        return input.Length;
    }

    /// <summary>How much output a message has, about; -1 where it says that the program has ended.</summary>
    protected virtual int OutputOf(ReadOnlySpan<byte> message) => message.Length;

    /// <summary>Adds the output in a message to a hash.</summary>
    protected virtual void HashMessage(ReadOnlySpan<byte> message, IncrementalHash hash) => hash.AppendData(message);

    /// <inheritdoc/>
    protected sealed override bool Take(out int output)
    {
        output = 0;
        if (!TryFrame(Pending, out var opcode, out var payload, out var size))
            return false;
        output = opcode switch
        {
            <= 2 => OutputOf(payload),
            Close => -1,
            _ => 0,
        };
        if (opcode == Ping)
        {
            payload.CopyTo(_frame.AsSpan(14));
            SendFrame(Pong, payload.Length);
        }
        Skip(size);
        return true;
    }

    private static bool TryFrame(ReadOnlySpan<byte> bytes, out int opcode, out ReadOnlySpan<byte> payload, out int size)
    {
        (opcode, size) = (0, 0);
        payload = default;
        if (bytes.Length < 2)
            return false;
        opcode = bytes[0] & 15;
        long length = bytes[1] & 127;
        var header = length switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < header)
            return false;
        if (header == 4)
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        else if (header == 10)
            length = BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
        if (bytes.Length - header < length)
            return false;
        payload = bytes.Slice(header, (int)length);
        size = header + (int)length;
        return true;
    }
}
