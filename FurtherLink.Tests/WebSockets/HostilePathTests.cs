using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.WebSockets;

/// <summary>Requests over a real server that name paths which lead out, or things that nobody may wait for.</summary>
[TestFixture]
internal sealed class HostilePathTests
{
    private string _base = "";
    private HostilePaths _paths = null!;
    private LinkApp _app = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _base = Directory.CreateTempSubdirectory("fl-http-").FullName;
        var work = Directory.CreateDirectory(Path.Combine(_base, "work")).FullName;
        _paths = new HostilePaths(work);
        _app = await LinkApp.StartAsync(core: core =>
        {
            core.WorkDirectory = work;
            core.DefaultUser = Environment.UserName;
        });
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _app.DisposeAsync();
        _paths.Dispose();
        Directory.Delete(_base, recursive: true);
    }

    [Test]
    public async Task Upload_Hostile_IsAnsweredAndTheConnectionGoesOn([Values] bool named)
    {
        var statuses = new List<int>();
        foreach (var path in _paths.Paths)
        {
            var files = new JsonObject { [named ? "x" : path] = new JsonObject { ["type"] = "text", ["content"] = new JsonObject { ["text"] = "x" } } };
            var upload = new JsonObject { ["name"] = named ? path : "project", ["files"] = files };
            using var request = new HttpRequestMessage(HttpMethod.Post, "/upload") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(upload.ToJsonString())) };
            request.Headers.TryAddWithoutValidation("Accept", "application/problem+json, */*;q=0.1");
            using var response = await _app.Http.SendAsync(request).WaitAsync(Patience.Long);
            statuses.Add((int)response.StatusCode);
            Assert.That(statuses[^1], Is.EqualTo(200).Or.EqualTo(400).Or.EqualTo(500), path);
            _paths.AssertUntouched(await response.Content.ReadAsStringAsync(), path);
        }

        Assert.That(statuses, Does.Contain(200).And.Contain(500), "some are names, some are not");
        Assert.That(_app.Sockets, Has.Count.EqualTo(1), "all over one connection");
    }

    [Test]
    public async Task Recording_Hostile_IsNone()
    {
        foreach (var path in _paths.Paths.Where(path => path.Length is > 0 and < 1000))
        {
            // As it stands: what would shorten dots is left out.
            var address = new Uri($"{_app.Address}recordings/{Uri.EscapeDataString(path)}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
            using var response = await _app.Http.GetAsync(address).WaitAsync(Patience.Long);
            Assert.That((int)response.StatusCode, Is.EqualTo(404).Or.EqualTo(400), path);
            _paths.AssertUntouched(await response.Content.ReadAsStringAsync(), path);
        }

        Assert.That(await _app.Http.GetStringAsync("/status"), Is.EqualTo("OK"));
    }
}
