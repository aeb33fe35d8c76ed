using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Processes;
using FurtherLink.Tests.Device;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

/// <summary>
/// Programs started by paths that lead out, or at things that nobody may wait for. A program may run wherever its user may; what the server makes for it,
/// it makes as that user.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class HostileStartTests
{
    private TestHost _host = null!;
    private HostilePaths _paths = null!;
    private HashSet<string> _started = [];
    private int _asked;

    [SetUp]
    public void SetUp()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"only root can run programs as another user, and the tests run as uid {UserAccount.Current.Uid}");
        _host = new TestHost(configure: static options => options.DefaultUser = "daemon");
        var work = Path.Combine(_host.Folder, "work");
        _paths = new HostilePaths(work);
        Assert.That(Shell.Run(_host.Folder, "chown -hR daemon work; chmod 700 outside outside/d; chmod 600 outside/f outside/d/f"), Is.Zero);
        (_started, _asked) = (new HashSet<string>(StringComparer.Ordinal), 0);
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_host is null)
            return;
        _paths.Dispose();
        await _host.DisposeAsync();
    }

    [TestCase("python3", null)]
    [TestCase("exec", "#!/bin/sh\n")]
    [TestCase("exec", null)]
    [TestCase("shell", null)]
    [TestCase("program", null)]
    public async Task Start_HostilePath_IsTheUsersOrRefused(string runner, string? code)
    {
        await using var client = await _host.ConnectWebSocketAsync();
        var before = Directory.GetFileSystemEntries(_host.Folder);
        foreach (var paths in _paths.Paths.Chunk(10))
        {
            var (refusals, output) = await RunAsync(client, runner, code, paths).WaitAsync(Patience.Long);
            var one = "one of " + string.Join(" | ", paths);
            _paths.AssertUntouched(refusals, one);
            Assert.That(output, Does.Not.Contain(HostilePaths.Secret), one);
            Assert.That(Directory.GetFileSystemEntries(_host.Folder), Is.EquivalentTo(before), one);
        }

        await client.PingAsync().WaitAsync(Patience.Long);
        // What exec finds at these paths are no programs.
        Assert.That(_started, runner == "exec" && code is null ? Is.Empty : Is.Not.Empty);
        Assert.That(_started, Has.Count.LessThan(_asked));
    }

    /// <summary>Starts a program at each path, and stops it at once where nothing says when it ends.</summary>
    /// <returns>What the server said of those that it refused, and the programs of themselves.</returns>
    private async Task<(string Refusals, string Output)> RunAsync(FurtherTestClient client, string runner, string? code, string[] paths)
    {
        foreach (var path in paths)
            await client.StartAsync($"p{_asked++}", runner, code, path);
        var (refusals, output) = (new StringBuilder(), new StringBuilder());
        for (var left = paths.Length; left > 0;)
        {
            var message = await client.NextAsync() ?? throw new AssertionException($"The connection ended at one of {string.Join(" | ", paths)}");
            var data = message["data"];
            var name = (string?)(message["process"] ?? data?["process"]) ?? "";
            switch ((string?)message["type"])
            {
                case "started":
                    _started.Add(name);
                    if (code is null)
                        await client.SendAsync("stop", name);
                    break;
                // That it is too late to stop is none of its start.
                case "error" when !_started.Contains(name):
                    refusals.Append(data!.ToJsonString());
                    left--;
                    break;
                case "stdout" or "stderr":
                    output.Append((string?)data!["output"]);
                    break;
                case "stopped":
                    left--;
                    break;
            }
        }

        return (refusals.ToString(), output.ToString());
    }
}
