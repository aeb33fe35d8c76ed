using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// Makes messages of what both endpoints' clients send. Keeps what is reused from frame to frame: the one <see cref="Input"/>, its
/// buffer, the session's name of last time. Used by one thread at a time.
/// </summary>
internal sealed class FurtherReader
{
    // Names come back in every message of the session; more than this is no name but a load.
    private const int LongestName = 64 * 1024;

    // A larger buffer than this is not kept for the next input.
    private const int KeptBuffer = 64 * 1024;

    private readonly FurtherRequest _request = new();
    private readonly Input _input = new();
    private byte[] _buffer = [];
    private byte[] _decoded = [];
    private string _name = "";
    private byte[] _nameSpelling = [];

    /// <summary>Takes a frame's message apart.</summary>
    /// <returns>The one reused object.</returns>
    /// <exception cref="LinkException">It is no JSON in UTF-8, or JSON that is no object.</exception>
    public FurtherRequest Read(in Frame frame)
    {
        _request.Read(frame.Body);
        return _request;
    }

    /// <summary>The message's session name.</summary>
    /// <exception cref="LinkException">There is none, or it is empty or too long.</exception>
    public string Name(FurtherRequest request)
    {
        var value = request.Value(FurtherField.Process);
        if (value.Type != JsonTokenType.String || value.Raw.IsEmpty)
            throw request.Bad($"{FurtherVerbs.NameOf(request.Verb)} has no process id");
        if (value.Raw.Length > LongestName)
            throw new LinkException(FailureCode.Limited, $"a process id of {value.Raw.Length} bytes, at most {LongestName} are accepted");
        // A client types into one session for long: its name is decoded once.
        if (!value.Raw.IsSingleSegment || !value.Raw.FirstSpan.SequenceEqual(_nameSpelling))
        {
            _name = request.Text(FurtherField.Process)!;
            _nameSpelling = value.Raw.ToArray();
        }
        return request.Process = _name;
    }

    /// <summary>What the client calls the message; null where it does not.</summary>
    /// <exception cref="LinkException">It is too long, or no text that could be given back.</exception>
    public static string? Ref(FurtherRequest request)
    {
        var value = request.Value(FurtherField.Ref);
        if (value.Type != JsonTokenType.String)
            return null;
        if (value.Raw.Length > LongestName)
            throw new LinkException(FailureCode.Limited, $"a ref of {value.Raw.Length} bytes, at most {LongestName} are accepted");
        return request.Text(FurtherField.Ref);
    }

    /// <summary>stdin: "input" (a text) or "base64" (bytes), "end" (true: the input ends behind it), or both.</summary>
    /// <returns>The one reused object.</returns>
    public Input Input(FurtherRequest request, string name)
    {
        var end = request.Value(FurtherField.End).Type == JsonTokenType.True;
        var value = request.Value(FurtherField.Input);
        var encoded = request.Value(FurtherField.Base64);
        if (encoded.Type != JsonTokenType.None)
        {
            if (encoded.Type != JsonTokenType.String)
                throw request.Bad("stdin: base64 must be a text");
            if (value.Type != JsonTokenType.None)
                throw request.Bad("stdin: input and base64 exclude each other");
        }
        else if (value.Type != JsonTokenType.String && !(end && value.Type == JsonTokenType.None))
            throw request.Bad("stdin: input is missing or no text");
        _input.Client = null;
        _input.Ref = null;
        _input.Name = name;
        _input.End = end;
        _input.Sequence = request.Count(FurtherField.Seq);
        _input.Data = encoded.Type != JsonTokenType.None ? new ReadOnlySequence<byte>(FromBase64(request, encoded, isKept: false))
            : value.Escaped ? Unescape(request, FurtherField.Input, value.Raw)
            : value.Raw;
        return _input;
    }

    /// <summary>uploadFile: "text" or "base64", and where it goes.</summary>
    /// <exception cref="LinkException">It does not say of which upload.</exception>
    public UploadPiece Piece(FurtherRequest request)
    {
        var upload = request.RequiredText(FurtherField.Upload);
        try
        {
            return new UploadPiece(upload, request.RequiredText(FurtherField.Path), Content(request)) { Executable = request.Flag(FurtherField.Executable) };
        }
        catch (LinkException e)
        {
            // Told by the upload, which ends: with a piece left out it would be another one.
            return new UploadPiece(upload, "", default) { Fault = e };
        }
    }

    /// <summary>keyevent: "key" and "event", any texts.</summary>
    public static Key Key(FurtherRequest request) =>
        new(request.RequiredText(FurtherField.Key), request.RequiredText(FurtherField.Event));

    private ReadOnlyMemory<byte> Content(FurtherRequest request)
    {
        var text = request.Value(FurtherField.Text);
        var encoded = request.Value(FurtherField.Base64);
        return (text.Type, encoded.Type) switch
        {
            (JsonTokenType.String, JsonTokenType.None) => Unescape(request, FurtherField.Text, text.Raw).ToArray(),
            (JsonTokenType.None, JsonTokenType.String) => FromBase64(request, encoded, isKept: true),
            _ => throw request.Bad("uploadFile: either text or base64 must be there, a text"),
        };
    }

    /// <summary>Decodes a text.</summary>
    /// <param name="request">Whose.</param>
    /// <param name="value">The text.</param>
    /// <param name="isKept">Whether the bytes are the caller's; otherwise they are borrowed until the next are decoded.</param>
    private ReadOnlyMemory<byte> FromBase64(FurtherRequest request, in FurtherValue value, bool isKept)
    {
        var text = value is { Escaped: false, Raw.IsSingleSegment: true } ? value.Raw.FirstSpan : Unescape(request, FurtherField.Base64, value.Raw).FirstSpan;
        var room = Base64.GetMaxDecodedFromUtf8Length(text.Length);
        if (!isKept && (_decoded.Length < room || _decoded.Length > KeptBuffer))
            _decoded = new byte[BitOperations.RoundUpToPowerOf2((uint)Math.Max(room, 64))];
        var bytes = isKept ? GC.AllocateUninitializedArray<byte>(room) : _decoded;
        // Not in place, which takes the framework several times as long.
        if (Base64.DecodeFromUtf8(text, bytes, out _, out var decoded) != OperationStatus.Done)
            throw request.BadValue($"{FurtherVerbs.NameOf(request.Verb)}: base64 is not base64 of RFC 4648, section 4, with its padding");
        return bytes.AsMemory(0, decoded);
    }

    /// <summary>Puts a string's text into the buffer.</summary>
    private ReadOnlySequence<byte> Unescape(FurtherRequest request, FurtherField field, in ReadOnlySequence<byte> raw)
    {
        var length = (int)raw.Length;
        if (_buffer.Length < length || _buffer.Length > KeptBuffer)
            _buffer = new byte[BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, 64))];
        raw.CopyTo(_buffer);
        if (!JsonText.TryUnescape(_buffer.AsSpan(0, length), out var used))
            throw request.LoneSurrogate(field);
        return new ReadOnlySequence<byte>(_buffer, 0, used);
    }
}
