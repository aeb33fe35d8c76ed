using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode;

namespace FurtherLink.Tests.Portacode;

/// <summary>A temporary folder that actions on files work in, and what they answer.</summary>
internal sealed class FileRig : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("fl-portacode-").FullName;

    /// <summary>Makes a path of a request absolute; what is named "forbidden" is refused.</summary>
    public string Resolve(string path) => path.Contains("forbidden", StringComparison.Ordinal)
        ? throw new LinkException(FailureCode.Denied, $"Permission denied: {path}")
        : Path.GetFullPath(path, Root);

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = Resolve(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public byte[] Read(string name) => File.ReadAllBytes(Resolve(name));

    /// <summary>Every name below the folder, sorted, directories with a slash: whatever was left behind shows.</summary>
    public string[] Names() =>
    [
        .. Directory.EnumerateFileSystemEntries(Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(path => Path.GetRelativePath(Root, path) + (Directory.Exists(path) && new FileInfo(path).LinkTarget is null ? "/" : ""))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Asks for an action, and gives all its answers.</summary>
    public static async Task<IReadOnlyList<PortacodeEvent>> AskAllAsync(IActions actions, string name, JsonObject arguments, string? client = null)
    {
        using var document = JsonDocument.Parse(arguments.ToJsonString());
        var replies = new RecordedReplies();
        await actions.Handlers[name](new PortacodeRequest(name, document.RootElement.Clone()) { Client = client }, replies, CancellationToken.None);
        return replies.Events;
    }

    /// <summary>Asks for an action that answers once.</summary>
    public static async Task<JsonObject> AskAsync(IActions actions, string name, JsonObject arguments, string? client = null)
    {
        var events = await AskAllAsync(actions, name, arguments, client);
        Assert.That(events, Has.Count.EqualTo(1));
        return events[0].Fields;
    }

    /// <summary>Asks for an action that must be refused, and gives the words.</summary>
    public static async Task<string> RefusalAsync(IActions actions, string name, JsonObject arguments, string? client = null) =>
        (await Assert.ThrowsAsync<LinkException>(() => AskAllAsync(actions, name, arguments, client)))!.Message;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>Keeps what actions answer.</summary>
internal sealed class RecordedReplies : IReplies
{
    public List<PortacodeEvent> Events { get; } = [];

    public ValueTask SendAsync(PortacodeEvent answer)
    {
        // As it arrives: read from its own text.
        Events.Add(answer with { Fields = JsonNode.Parse(answer.Fields.ToJsonString())!.AsObject() });
        return ValueTask.CompletedTask;
    }
}
