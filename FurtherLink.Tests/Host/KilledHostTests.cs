using System.Runtime.Versioning;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>What is left where the server is killed with all that it has under way, and what the next one makes of that.</summary>
[SupportedOSPlatform("linux")]
internal sealed class KilledHostTests
{
    private TemporaryFolder _folder = null!;
    private HostProcess? _host;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public async Task TearDown()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Files_OfAKilledServer_GoWithTheNextStart()
    {
        _host = await ServeAsync();
        var client = await ConnectAsync();
        await client.StartAsync("1", "python3", "import time; print('runs', flush=True); time.sleep(1000)");
        await client.OutputUntilAsync("runs");
        await client.SendAsync("uploadBegin", null, new { name = "a/b/project" });
        var upload = (string?)(await client.UntilAsync("upload"))["data"]!["upload"];
        await client.SendAsync("uploadFile", null, new { upload, path = "x/y", text = "half" });
        await client.UntilAsync("upload");
        _folder.Write("temp/somebody's", "");
        _folder.Write("work/mine", "");

        await KillAsync();
        Assert.That(Left(), Has.Some.Match("furtherlink-python-").And.Some.Match(@"\.sock$").And.Some.Match(@"temp/\w*\.py$").And.Some.Match(@"\.upload$"));
        var left = Left().ToHashSet();
        _host = await ServeAsync();
        Assert.That(Left().Where(left.Contains), Is.EquivalentTo(new[] { "temp", "temp/somebody's", "work", "work/mine" }));
        await client.DisposeAsync();
    }

    [Test]
    public async Task Programs_OfAKilledServer_EndWithTheNextStart()
    {
        _host = await ServeAsync();
        var client = await ConnectAsync();
        const string Code = """
            import os, signal, time
            def away():
                if os.fork(): return
                os.setsid()
                if os.fork(): os._exit(0)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
                os.execve('/bin/sleep', ['sleep', '1000'], {})
            away(); away()
            if os.fork() == 0:
                os.setsid()
                print(os.getpid(), flush=True)
                os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(1000)
            time.sleep(1000)
            """;
        await client.SendAsync("start", "1", new { runner = "python3", code = Code });
        await client.OutputUntilAsync("\n");
        var family = Family();
        await Patience.UntilAsync(() => Marked().Count(mark => mark == family) == 4, "the program and its three descendants");
        await KillAsync();
        Assert.That(Marked().Count(mark => mark == family), Is.GreaterThanOrEqualTo(3), "they live on");
        _host = await ServeAsync();
        Assert.That(Marked(), Has.None.EqualTo(family));
        await client.DisposeAsync();
    }

    [Test]
    public async Task LedgerDirectory_Set_IsWhereItIsWrittenDown()
    {
        _host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls", new Dictionary<string, string?> { ["FurtherLink__LedgerDirectory"] = "elsewhere" });
        var client = await ConnectAsync();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho runs; read line");
        await client.OutputUntilAsync("runs");
        Assert.That(Directory.GetFiles(_folder["elsewhere"], "*.json", SearchOption.AllDirectories), Is.Not.Empty);
        Assert.That(Directory.Exists(_folder["state/furtherlink/ledger"]), Is.False);
        await client.DisposeAsync();
    }

    // What the server has written down of its programs.
    private ulong Family() => Directory.GetFiles(_folder["state/furtherlink/ledger"], "*.json", SearchOption.AllDirectories)
        .Select(FamilyOf).Single(family => family != 0);

    // What is not needed any more is removed meanwhile.
    private static ulong FamilyOf(string path)
    {
        try
        {
            return LedgerRecord.Read(File.ReadAllBytes(path))!.Family;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    private static IEnumerable<ulong> Marked() => ProcFs.Processes().Where(pid => ProcFs.Read(pid) is { IsEnded: false })
        .Select(pid => (FurtherLink.Processes.Native.Libc.GetMark(pid) ?? 0) & StrayPrograms.FamilyMask);

    private IEnumerable<string> Left() =>
        Directory.GetFileSystemEntries(_folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(path => Path.GetRelativePath(_folder.Path, path)).Where(path => !path.StartsWith("state", StringComparison.Ordinal));

    private async Task<FurtherTestClient> ConnectAsync() =>
        new(await WebSocketWire.ConnectAsync(new UriBuilder(_host!.Address) { Scheme = "ws", Path = "/run", Query = "?extensions=sessions,uploads" }.Uri));

    private Task<HostProcess> ServeAsync() => HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls --temp-dir temp --work-dir work");

    private async Task KillAsync()
    {
        _host!.Signal("KILL");
        await _host.ExitAsync();
        await _host.DisposeAsync();
        _host = null;
    }
}
