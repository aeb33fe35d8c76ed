using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Device;

/// <summary>Uploads by paths that lead out, or at things that nobody may wait for.</summary>
internal sealed class HostileUploadTests : UploadFixture
{
    private HostilePaths _paths = null!;

    [SetUp]
    public void SetTraps() => _paths = new HostilePaths(Work);

    [TearDown]
    public void TakeTraps() => _paths.Dispose();

    [Test]
    public async Task Name_Hostile_StaysInside()
    {
        foreach (var path in _paths.Paths)
            _paths.AssertUntouched(await AnswerAsync(Tree(path, ("x", Text("x")))), path);
    }

    [Test]
    public async Task File_Hostile_StaysInside()
    {
        foreach (var path in _paths.Paths)
            _paths.AssertUntouched(await AnswerAsync(Tree("project", (path, Text("x")))), path);
    }

    [Test]
    public async Task Project_Hostile_StaysInside()
    {
        Directory.CreateSymbolicLink(Projects, Work);
        foreach (var path in _paths.Paths)
        {
            var upload = Tree("real", ("project.cfg", Text("x")));
            upload["username"] = path;
            _paths.AssertUntouched(await AnswerAsync(upload), path);
            upload = Tree(path, ("project.cfg", Text("x")));
            _paths.AssertUntouched(await AnswerAsync(upload), path);
        }
    }

    [Test]
    public async Task Cache_Hostile_StaysInside()
    {
        // Nothing listens there: what is in the cache already would be taken.
        Directory.CreateSymbolicLink(Path.Combine(Work, ".flcache"), "real");
        foreach (var path in _paths.Paths)
        {
            _paths.AssertUntouched(await AnswerAsync(Tree("project", ("x", Url("http://127.0.0.1:9/", "bucket", path)))), path);
            _paths.AssertUntouched(await AnswerAsync(Tree("project", ("x", Url("http://127.0.0.1:9/", path, "f")))), path);
        }
    }

    [Test]
    public async Task Pieces_Hostile_StayInside()
    {
        foreach (var path in _paths.Paths)
        {
            _paths.AssertUntouched(await Task.Run(() => AppendTo(path, "x")).WaitAsync(Patience.Long), path);
            _paths.AssertUntouched(await Task.Run(() => AppendTo("project", path)).WaitAsync(Patience.Long), path);
        }
    }

    private string AppendTo(string name, string path)
    {
        try
        {
            using var upload = Store.Begin(name, null);
            upload.Append(path, "x"u8, executable: true);
            Store.Finish(upload);
            return "";
        }
        catch (Exception e) when (e is LinkException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private async Task<string?> AnswerAsync(JsonNode upload) => (await UploadAsync(upload).WaitAsync(Patience.Long)).Reason;
}
