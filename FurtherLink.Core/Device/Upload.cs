using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using FurtherLink.Messages;

namespace FurtherLink.Device;

/// <summary>
/// An upload as its JSON says it: <c>{"name": dir, "files": {alias: {"type", "content"}}, "username"}</c>. Contents stay where they
/// are in the JSON until they are written, so the bytes must outlive it.
/// </summary>
internal sealed class Upload : IDisposable
{
    private readonly JsonDocument _document;
    private readonly IReadOnlyDictionary<int, UploadContent>? _contents;

    private Upload(JsonDocument document, IReadOnlyDictionary<int, UploadContent>? contents)
    {
        _document = document;
        _contents = contents;
    }

    /// <summary>The directory, in the work directory.</summary>
    public RelativePath Name { get; private init; }

    /// <summary>The files, each path once.</summary>
    public IReadOnlyList<UploadFile> Files { get; private init; } = [];

    /// <summary>Whose project it is on a miniscreen; null where it is no project: no "project.cfg" at its top.</summary>
    public string? ProjectOwner { get; private init; }

    /// <summary>The user whose files they are, where the object says it; null = the asker's.</summary>
    public string? User { get; private init; }

    /// <summary>Reads an upload.</summary>
    /// <param name="json">UTF-8; not copied.</param>
    /// <param name="contents">The long contents that are not in it, see <see cref="UploadBody.Contents"/>; null = none. Disposed with the result.</param>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.BadMessage"/>: it has not the form; <see cref="FailureCode.Failed"/>: a path is forbidden or a content
    /// cannot be used.
    /// </exception>
    public static Upload Parse(ReadOnlyMemory<byte> json, IReadOnlyDictionary<int, UploadContent>? contents = null)
    {
        if (!Utf8.IsValid(json.Span))
            throw Invalid("the upload is not UTF-8");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw Invalid($"the upload is not JSON: {e.Message}");
        }
        try
        {
            return Read(document, element => LongOf(element, json.Span, contents), contents);
        }
        catch (InvalidOperationException)
        {
            document.Dispose();
            throw new LinkException(FailureCode.Failed, "a text or name of the upload holds half a surrogate pair");
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>Closes the files of the long contents: what is written from here on is not theirs.</summary>
    public void CloseContents()
    {
        foreach (var content in _contents?.Values ?? [])
            content.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _document.Dispose();
        CloseContents();
    }

    private static UploadContent? LongOf(JsonElement element, ReadOnlySpan<byte> json, IReadOnlyDictionary<int, UploadContent>? contents) =>
        contents is not null && json.Overlaps(JsonMarshal.GetRawUtf8Value(element), out var at) ? contents.GetValueOrDefault(at) : null;

    private static Upload Read(JsonDocument document, Func<JsonElement, UploadContent?> longOf, IReadOnlyDictionary<int, UploadContent>? contents)
    {
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw Invalid("the upload is not an object");
        var name = Text(root, "name") ?? throw Invalid("the upload has no \"name\" that is a text");
        if (!root.TryGetProperty("files", out var files) || files.ValueKind != JsonValueKind.Object)
            throw Invalid("the upload has no \"files\" that is an object");
        // The form of everything first: a wrong form is the asker's fault even where a path is forbidden as well.
        foreach (var file in files.EnumerateObject())
            CheckForm(file.Value);

        var byPath = new Dictionary<string, UploadFile>(StringComparer.Ordinal);
        foreach (var file in files.EnumerateObject())
        {
            var read = UploadFile.Read(file.Name, file.Value, longOf);
            byPath[read.Path.ToString()] = read;
        }
        return new Upload(document, contents)
        {
            Name = RelativePath.Parse(name, "name"),
            Files = [.. byPath.Values],
            ProjectOwner = byPath.ContainsKey("project.cfg") ? OwnerOf(root) : null,
            User = Text(root, "user"),
        };
    }

    private static void CheckForm(JsonElement file)
    {
        if (file.ValueKind != JsonValueKind.Object)
            throw Invalid("a file of the upload is not an object");
        if (Text(file, "type") is not ("text" or "url" or "base64"))
            throw Invalid("a file's \"type\" is none of text, url, base64");
        if (!file.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.Object)
            throw Invalid("a file's \"content\" is not an object");
    }

    private static string OwnerOf(JsonElement root)
    {
        if (!root.TryGetProperty("username", out var username) || username.ValueKind == JsonValueKind.Null)
            return "unknown";
        if (username.ValueKind != JsonValueKind.String)
            throw Invalid("\"username\" is not a text");
        var owner = (Text(root, "username") ?? "").Split('@')[0];
        return owner.Length == 0 ? "unknown" : RelativePath.ParseName(owner, "username");
    }

    /// <summary>A member that is a text; null where it is missing or something else.</summary>
    /// <exception cref="InvalidOperationException">It holds half a surrogate pair.</exception>
    internal static string? Text(JsonElement parent, string member) =>
        parent.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static LinkException Invalid(string reason) => new(FailureCode.BadMessage, reason);
}
