using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Device;

/// <summary>A store over a work directory of its own, with everything around it that an upload must not touch.</summary>
internal abstract class UploadFixture
{
    /// <summary>The directory that everything of a test is in; it holds the work directory and a neighbour.</summary>
    protected string Base { get; private set; } = "";

    protected string Work => Path.Combine(Base, "work");

    protected string Projects => Path.Combine(Base, "projects");

    protected LinkOptions Options { get; private set; } = new();

    protected FileStore Store { get; private set; } = null!;

    [SetUp]
    public void MakeStore()
    {
        Base = Directory.CreateTempSubdirectory("fl-upload-").FullName;
        Directory.CreateDirectory(Work);
        Directory.CreateDirectory(Path.Combine(Base, "work-evil"));
        File.WriteAllText(Path.Combine(Base, "work-evil", "kept"), "outside");
        Options = new LinkOptions { WorkDirectory = Work, MiniscreenProjectsDirectory = Projects, DefaultUser = Environment.UserName };
        Store = new FileStore(new OptionsWrapper<LinkOptions>(Options));
    }

    [TearDown]
    public void RemoveAll()
    {
        Store.Dispose();
        Directory.Delete(Base, recursive: true);
    }

    protected static JsonObject Text(string text) => new() { ["type"] = "text", ["content"] = new JsonObject { ["text"] = text } };

    protected static JsonObject Bytes(byte[] bytes) =>
        new() { ["type"] = "base64", ["content"] = new JsonObject { ["base64"] = Convert.ToBase64String(bytes) } };

    protected static JsonObject Url(string url, string bucket = "bucket", string file = "file") => new()
    {
        ["type"] = "url",
        ["content"] = new JsonObject { ["url"] = url, ["bucketName"] = bucket, ["fileName"] = file },
    };

    protected static JsonObject Tree(string name, params (string Alias, JsonObject File)[] files)
    {
        var all = new JsonObject();
        foreach (var (alias, file) in files)
            all[alias] = file.DeepClone();
        return new JsonObject { ["name"] = name, ["files"] = all };
    }

    protected Task<UploadOutcome> UploadAsync(JsonNode upload, string? user = null) => UploadAsync(upload.ToJsonString(), user);

    protected Task<UploadOutcome> UploadAsync(string json, string? user = null) =>
        Store.UploadAsync(Encoding.UTF8.GetBytes(json), user, CancellationToken.None);

    /// <summary>Everything below the test's directory, with contents and what links say: two equal snapshots mean that nothing was touched.</summary>
    protected string[] Snapshot() => [.. Walk(Base).Order(StringComparer.Ordinal)];

    protected string Read(string path) => File.ReadAllText(Path.Combine(Work, path));

    private static IEnumerable<string> Walk(string directory)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(directory))
        {
            if (new FileInfo(path).LinkTarget is { } target)
            {
                yield return $"{path} -> {target}";
            }
            else if (Directory.Exists(path))
            {
                yield return path + "/";
                foreach (var below in Walk(path))
                    yield return below;
            }
            else
            {
                yield return $"{path}: {File.ReadAllText(path)}";
            }
        }
    }
}
