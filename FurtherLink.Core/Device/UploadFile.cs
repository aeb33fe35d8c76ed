using System.Runtime.InteropServices;
using System.Text.Json;
using FurtherLink.Messages;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>One file of an upload: a text, bytes, or an address to fetch it from.</summary>
internal sealed class UploadFile
{
    private readonly JsonElement _content;
    private readonly UploadContent? _long;

    private UploadFile(RelativePath path, JsonElement content, UploadContent? @long = null)
    {
        Path = path;
        _content = content;
        _long = @long;
    }

    /// <summary>Where it stands in the uploaded directory.</summary>
    public RelativePath Path { get; }

    /// <summary>Where it is fetched from; null where its content stands in the upload.</summary>
    public Uri? Address { get; private init; }

    /// <summary>Where what is fetched is kept, in the cache directory.</summary>
    public RelativePath CachePath { get; private init; }

    /// <summary>Whether the content is base64.</summary>
    public bool IsBase64 { get; private init; }

    /// <summary>About how many bytes it will be; 0 where it is fetched.</summary>
    public long Weight => Address is not null ? 0 : _long?.Length ?? JsonMarshal.GetRawUtf8Value(_content).Length;

    /// <summary>Reads a file whose form has been checked.</summary>
    /// <param name="alias">Its path.</param>
    /// <param name="file">The file.</param>
    /// <param name="longOf">The content that a text stands for; null where it is one itself.</param>
    /// <exception cref="LinkException">The alias is forbidden or the content cannot be used.</exception>
    public static UploadFile Read(string alias, JsonElement file, Func<JsonElement, UploadContent?> longOf)
    {
        var path = RelativePath.ParseFile(alias, "file");
        var content = file.GetProperty("content");
        switch (Upload.Text(file, "type"))
        {
            case "text":
                var text = Member(content, "text", path, FailureCode.Failed);
                return new UploadFile(path, text, longOf(text));
            case "base64":
                var base64 = Member(content, "base64", path, FailureCode.BadMessage);
                return new UploadFile(path, base64, longOf(base64)) { IsBase64 = true };
            default:
                var url = Member(content, "url", path, FailureCode.Failed).GetString();
                if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
                    throw new LinkException(FailureCode.Failed, $"the file \"{path}\" has no http(s) address");
                _ = Member(content, "bucketName", path, FailureCode.Failed);
                _ = Member(content, "fileName", path, FailureCode.Failed);
                var bucket = RelativePath.Parse(Upload.Text(content, "bucketName")!, "bucket name");
                var name = RelativePath.ParseFile(Upload.Text(content, "fileName")!, "file name");
                return new UploadFile(path, content) { Address = address, CachePath = name.Below([.. bucket.Parts]) };
        }
    }

    /// <summary>Makes the file of a content that came with the upload.</summary>
    /// <param name="place">Where.</param>
    /// <param name="root">What the place is in.</param>
    /// <param name="isCopy">Whether it stands somewhere else already.</param>
    /// <exception cref="LinkException">It is not base64, or holds half a surrogate pair.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(Place place, ConfinedRoot root, bool isCopy = false)
    {
        if (_long is null)
        {
            using var file = place.Parent.Create(place.Leaf, root.FileOwner);
            WriteTo(file);
            return;
        }
        UploadContent.Check(_long.Fault, Path);
        if (!isCopy && _long.TryMoveTo(place, root))
            return;
        using var copy = place.Parent.Create(place.Leaf, root.FileOwner);
        _long.CopyTo(copy);
    }

    private void WriteTo(SafeFileHandle file)
    {
        var raw = JsonMarshal.GetRawUtf8Value(_content)[1..];
        if (!IsBase64 && raw.IndexOf((byte)'\\') < 0)
        {
            RandomAccess.Write(file, raw[..^1], 0);
            return;
        }
        using var writer = new ContentWriter(file, IsBase64);
        _ = writer.Take(raw, out _);
        writer.Finish();
        UploadContent.Check(writer.Fault, Path);
    }

    private static JsonElement Member(JsonElement content, string name, RelativePath path, FailureCode code) =>
        content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value
            : throw new LinkException(code, $"the content of \"{path}\" has no \"{name}\" that is a text");
}
