using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// Reads what clients are told. Keeps what is reused from frame to frame: the one <see cref="Output"/>, its buffer, the name of last time.
/// Used by one thread at a time.
/// </summary>
internal sealed class FurtherClientReader
{
    // A larger buffer than this is not kept for the next piece of output.
    private const int KeptBuffer = 256 * 1024;

    private readonly Output _output = new();
    private byte[] _buffer = [];
    private string _name = "";
    private byte[] _nameSpelling = [];

    /// <summary>Reads a message.</summary>
    /// <param name="body">The message; borrowed.</param>
    /// <returns>Null where it says nothing that the vocabulary has a word for.</returns>
    /// <exception cref="LinkException">It is no message.</exception>
    public ServerMessage? Read(in ReadOnlySequence<byte> body)
    {
        try
        {
            var head = ReadHead(body);
            return head.Type switch
            {
                "stdout" => ReadOutput(body, head, OutputKind.Out),
                "stderr" => ReadOutput(body, head, OutputKind.Error),
                _ => FurtherAnswers.Read(head.Type, body.Slice(head.DataStart, head.DataLength), head.Name, head.Ref),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new LinkException(FailureCode.BadMessage, $"the server has sent what is no message: {e.Message}", e);
        }
    }

    private Head ReadHead(in ReadOnlySequence<byte> body)
    {
        string type = "";
        string? name = null, reference = null;
        long start = 0, length = 0;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = FurtherRequest.MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new LinkException(FailureCode.BadMessage, "the server has sent what is no message");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = TypeOf(ref reader);
            }
            else if (reader.ValueTextEquals("process"u8))
            {
                reader.Read();
                name = NameOf(ref reader);
            }
            else if (reader.ValueTextEquals("ref"u8))
            {
                reader.Read();
                reference = reader.GetString();
            }
            else if (reader.ValueTextEquals("data"u8))
            {
                reader.Read();
                start = reader.TokenStartIndex;
                reader.Skip();
                length = reader.BytesConsumed - start;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return new Head(type, name, reference, start, length);
    }

    // Without a string for each message: nearly all of them are output.
    private static string TypeOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("stdout"u8) ? "stdout" : reader.ValueTextEquals("stderr"u8) ? "stderr" : reader.GetString() ?? "";

    private string? NameOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (reader.HasValueSequence)
            return reader.GetString();
        if (!reader.ValueSpan.SequenceEqual(_nameSpelling))
        {
            _name = reader.GetString()!;
            _nameSpelling = reader.ValueSpan.ToArray();
        }

        return _name;
    }

    private Output ReadOutput(in ReadOnlySequence<byte> body, in Head head, OutputKind kind)
    {
        _output.Name = head.Name ?? "";
        _output.Kind = kind;
        _output.Ref = null;
        _output.Data = default;
        long? from = null, to = null;
        var reader = new Utf8JsonReader(body.Slice(head.DataStart, head.DataLength));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("output"u8))
            {
                reader.Read();
                _output.Data = Text(ref reader);
            }
            else if (reader.ValueTextEquals("base64"u8))
            {
                reader.Read();
                _output.Data = Bytes(ref reader);
            }
            else if (reader.ValueTextEquals("from"u8))
            {
                reader.Read();
                from = reader.GetInt64();
            }
            else if (reader.ValueTextEquals("to"u8))
            {
                reader.Read();
                to = reader.GetInt64();
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        if (from is not { } start || to is not { } end || end - start != _output.Data.Length)
            throw new LinkException(FailureCode.BadMessage, "the server has sent output without its place");
        _output.Offset = start;
        _output.Next = end;
        return _output;
    }

    private ReadOnlyMemory<byte> Text(ref Utf8JsonReader reader)
    {
        var length = Raw(ref reader);
        if (reader.ValueIsEscaped && !JsonText.TryUnescape(_buffer.AsSpan(0, length), out length))
            throw new FormatException("half a surrogate pair");
        return _buffer.AsMemory(0, length);
    }

    private ReadOnlyMemory<byte> Bytes(ref Utf8JsonReader reader)
    {
        var length = Raw(ref reader);
        if (Base64.DecodeFromUtf8InPlace(_buffer.AsSpan(0, length), out var written) != OperationStatus.Done)
            throw new FormatException("no base64");
        return _buffer.AsMemory(0, written);
    }

    private int Raw(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw new FormatException("output that is no text");
        var length = checked((int)(reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length));
        if (_buffer.Length < length || _buffer.Length > KeptBuffer)
            _buffer = new byte[BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, 64))];
        if (reader.HasValueSequence)
            reader.ValueSequence.CopyTo(_buffer);
        else
            reader.ValueSpan.CopyTo(_buffer);
        return length;
    }

    private readonly record struct Head(string Type, string? Name, string? Ref, long DataStart, long DataLength);
}
