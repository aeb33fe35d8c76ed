using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;
using FurtherLink.Messages;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>One file of an upload: a text, bytes, or an address to fetch it from.</summary>
internal sealed class UploadFile
{
    private readonly JsonElement _content;

    private UploadFile(RelativePath path, JsonElement content)
    {
        Path = path;
        _content = content;
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
    public long Weight => Address is null ? JsonMarshal.GetRawUtf8Value(_content).Length : 0;

    /// <summary>Reads a file whose form has been checked.</summary>
    /// <exception cref="LinkException">The alias is forbidden or the content cannot be used.</exception>
    public static UploadFile Read(string alias, JsonElement file)
    {
        var path = RelativePath.ParseFile(alias, "file");
        var content = file.GetProperty("content");
        switch (Upload.Text(file, "type"))
        {
            case "text":
                return new UploadFile(path, Member(content, "text", path, FailureCode.Failed));
            case "base64":
                return new UploadFile(path, Member(content, "base64", path, FailureCode.BadMessage)) { IsBase64 = true };
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

    /// <summary>Writes the content that stands in the upload.</summary>
    /// <exception cref="LinkException">It is not base64, or holds half a surrogate pair.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void WriteTo(SafeFileHandle file)
    {
        var raw = JsonMarshal.GetRawUtf8Value(_content);
        var reader = new Utf8JsonReader(raw);
        reader.Read();
        if (!reader.ValueIsEscaped && !IsBase64)
        {
            RandomAccess.Write(file, reader.ValueSpan, 0);
            return;
        }
        // Unescaping and decoding only ever shorten.
        var buffer = ArrayPool<byte>.Shared.Rent(raw.Length);
        try
        {
            var length = reader.CopyString(buffer);
            if (IsBase64 && Base64.DecodeFromUtf8InPlace(buffer.AsSpan(0, length), out length) != OperationStatus.Done)
                throw Upload.Invalid($"the content of \"{Path}\" is not base64");
            RandomAccess.Write(file, buffer.AsSpan(0, length), 0);
        }
        catch (InvalidOperationException)
        {
            throw new LinkException(FailureCode.Failed, $"the text of \"{Path}\" holds half a surrogate pair");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static JsonElement Member(JsonElement content, string name, RelativePath path, FailureCode code) =>
        content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value
            : throw new LinkException(code, $"the content of \"{path}\" has no \"{name}\" that is a text");
}
