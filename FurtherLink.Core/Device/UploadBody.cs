using System.Buffers;
using FurtherLink.Messages;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// An upload's JSON while it comes. Long contents are written into files without a name as they come, and stand as empty texts in what is kept in
/// memory; so the disk works while the network does, and an upload takes little more memory than its names. One thread at a time.
/// </summary>
/// <param name="makeFile">Makes a file without a name; null where that cannot be: then contents stay in the JSON.</param>
/// <param name="length">Bytes that are expected; 0 = not known.</param>
internal sealed class UploadBody(Func<SafeFileHandle?> makeFile, long length) : IDisposable
{
    // Shorter ones are not worth a file, and 16 open files are enough for one client.
    private const int Long = 64 * 1024;
    private const int MostFiles = 16;

    // Of a content: { "files": { path: { "content": { "text": ...
    private const int ContentDepth = 4;

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]:,"u8);

    private readonly Dictionary<int, UploadContent> _contents = [];
    private byte[] _json = new byte[Math.Clamp(length, 256, Long)];
    private int _count;
    private int _depth;
    private bool _isText;
    private bool _isEscaped;
    private int _textStart;
    private int _textEnd;
    private bool _followsKey;
    private bool _isBase64;
    private bool _mayBeLong;
    private bool _keepsAll;
    private UploadContent? _content;
    private ContentWriter? _writer;

    /// <summary>The JSON so far, without the long contents; borrowed until more is taken.</summary>
    public ReadOnlyMemory<byte> Json => _json.AsMemory(0, _count);

    /// <summary>The long contents, by where in <see cref="Json"/> the empty text begins that stands for each.</summary>
    public IReadOnlyDictionary<int, UploadContent> Contents => _contents;

    /// <summary>Takes what comes next.</summary>
    /// <exception cref="IOException">A long content cannot be written.</exception>
    /// <exception cref="LinkException">What must stay in memory is more than an array may hold.</exception>
    public void Take(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
            piece = piece[(_writer is { } writer ? TakeLong(piece, writer) : _isText ? TakeText(piece) : TakeStructure(piece))..];
    }

    /// <summary>Refuses a body whose long contents are not what JSON may hold.</summary>
    /// <exception cref="LinkException">They are not.</exception>
    public void Check()
    {
        var fault = _writer?.Fault ?? ContentFault.None;
        foreach (var content in _contents.Values)
            fault = content.Fault > fault ? content.Fault : fault;
        if (fault == ContentFault.NotUtf8)
            throw Upload.Invalid("the upload is not UTF-8");
        if (fault == ContentFault.NotJson)
            throw Upload.Invalid("the upload is not JSON: a text holds a control character or an unknown escape");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer?.Dispose();
        foreach (var content in _contents.Values)
            content.Dispose();
    }

    private int TakeStructure(ReadOnlySpan<byte> piece)
    {
        var at = piece.IndexOfAny(Structure);
        Append(piece[..(at < 0 ? piece.Length : at + 1)]);
        if (at < 0)
            return piece.Length;
        switch (piece[at])
        {
            case (byte)'"':
                _isText = true;
                _textStart = _count;
                _mayBeLong = _followsKey && !_keepsAll;
                break;
            case (byte)':':
                // The text that ended last is the key.
                var key = _json.AsSpan(_textStart, _textEnd - _textStart);
                _isBase64 = key.SequenceEqual("base64"u8);
                _followsKey = _depth == ContentDepth && (_isBase64 || key.SequenceEqual("text"u8));
                break;
            case (byte)'{' or (byte)'[':
                _depth++;
                _followsKey = false;
                break;
            case (byte)'}' or (byte)']':
                _depth--;
                _followsKey = false;
                break;
            default:
                _followsKey = false;
                break;
        }
        return at + 1;
    }

    private int TakeText(ReadOnlySpan<byte> piece)
    {
        if (_isEscaped)
        {
            _isEscaped = false;
            Append(piece[..1]);
            return 1;
        }
        var at = piece.IndexOfAny((byte)'"', (byte)'\\');
        var taken = at < 0 ? piece.Length : at + 1;
        Append(piece[..taken]);
        if (at >= 0 && piece[at] == (byte)'"')
        {
            _isText = false;
            _textEnd = _count - 1;
            return taken;
        }
        _isEscaped = at >= 0;
        if (_mayBeLong && _count - _textStart > Long)
            BeginLong();
        return taken;
    }

    private void BeginLong()
    {
        _mayBeLong = false;
        var file = _contents.Count < MostFiles ? makeFile() : null;
        if (file is null)
        {
            _keepsAll = true;
            return;
        }
        _content = new UploadContent(file, _isBase64);
        _contents.Add(_textStart - 1, _content);
        _writer = _content.Write();
        // What has come of it has no end, and a backslash at its end is the writer's to remember now.
        _ = _writer.Take(_json.AsSpan(_textStart, _count - _textStart), out _);
        _isEscaped = false;
        _count = _textStart;
    }

    private int TakeLong(ReadOnlySpan<byte> piece, ContentWriter writer)
    {
        var taken = writer.Take(piece, out var ended);
        if (ended)
        {
            _content!.End(writer);
            writer.Dispose();
            _writer = null;
            Append("\""u8);
            _isText = false;
            _textEnd = _textStart;
        }
        return taken;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _json.Length - _count)
        {
            var needed = (long)_count + bytes.Length;
            if (needed > Array.MaxLength)
                throw new LinkException(FailureCode.Failed, "the upload does not fit into memory");
            Array.Resize(ref _json, (int)Math.Min(Math.Max(2L * _json.Length, needed), Array.MaxLength));
        }
        bytes.CopyTo(_json.AsSpan(_count));
        _count += bytes.Length;
    }
}
