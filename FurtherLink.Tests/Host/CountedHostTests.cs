using System.Runtime.Versioning;
using FurtherLink.Processes;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Tests.Processes.ControlGroups;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>The executable alone in a control group, as a manager of services starts it, on a kernel that counts: limits of options, and what is left of groups.</summary>
[Category(CountedGroup.Category)]
[SupportedOSPlatform("linux")]
internal sealed class CountedHostTests
{
    private const string Limits = "--limit-memory 64MiB --limit-processes 30 --limit-cpus 1.5 --limit-open-files 100";

    // A client that waits for something else answers no pings.
    private static readonly Dictionary<string, string?> Patient = new() { ["FurtherLink__KeepAliveInterval"] = "01:00:00" };

    private TemporaryFolder? _folder;
    private CountedGroup? _group;
    private HostProcess? _host;

    [SetUp]
    public void SetUp()
    {
        _group = CountedGroup.Create();
        _folder = new TemporaryFolder();
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        File.SetUnixFileMode(Directory.CreateDirectory(_folder["temp"]).FullName, (UnixFileMode)0b001_111_111_111);
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (_group is not null)
            await _group.DisposeAsync();
        _folder?.Dispose();
        (_host, _group, _folder) = (null, null, null);
    }

    [Test]
    public async Task Limits_OfOptions_HoldAndAreSaidAndNothingIsLeft()
    {
        await ServeAsync(_group!, Limits);
        await using var beside = await ConnectAsync();
        await beside.SendAsync("start", "1", new { runner = "exec", path = "/bin/cat" });
        await beside.UntilAsync("started");
        await using var client = await ConnectAsync();

        await client.StartAsync("shown", "exec", "#!/bin/sh\nulimit -n");
        Assert.That((await client.RunAsync("shown")).Output, Is.EqualTo("100\n"));
        Assert.That(_group!.Programs.Select(static path => File.ReadAllText(path + "/cpu.max")), Has.Some.EqualTo("150000 100000\n"));

        await client.StartAsync("hog", "python3", "held = [bytearray(b'x' * (1 << 20)) for _ in range(400)]");
        Assert.That(await EndAsync(client, "hog"), Is.EqualTo((-9, "over its memory limit (64 MiB)")));

        // Its children end with it: they wait for the end of what it alone could write to.
        await client.StartAsync("bomb", "python3", "import os\nr, w = os.pipe()\nwhile os.fork(): pass\nos.close(w)\nos.read(r, 1)");
        Assert.That(await EndAsync(client, "bomb"), Is.EqualTo((1, "it could start no more processes (limit 30)")));

        await beside.InputAsync("1", "as if nothing were\n");
        Assert.That(await beside.OutputUntilAsync("\n"), Is.EqualTo("as if nothing were\n"));
        await Patience.UntilAsync(() => _group.Programs.Count() == 1, "the removal of all groups but the one of what runs beside");
        await beside.SendAsync("stop", "1");
        await beside.UntilAsync("stopped");
        await Patience.UntilAsync(() => !_group.Programs.Any(), "the removal of its group");
    }

    [Test]
    public async Task Kill_WithProgramsInGroups_LeavesNoneAfterTheNextStart()
    {
        await ServeAsync(_group!, Limits);
        await using var client = await ConnectAsync();
        await client.StartAsync("1", "python3", "import os, time\nos.setsid() if os.fork() == 0 else print('runs', flush=True)\ntime.sleep(1000)");
        await client.OutputUntilAsync("runs");
        _host!.Signal("KILL");
        await _host.ExitAsync();
        await _host.DisposeAsync();
        var left = _group!.Programs.Single();
        Assert.That(File.ReadAllText(left + "/cgroup.procs"), Is.Not.Empty, "they live on");

        // A manager of services gives the next one a new group, or has it begin in the one for servers.
        await using var next = CountedGroup.Create();
        await ServeAsync(next, Limits);
        Assert.That(Directory.Exists(left), Is.False);
        await _host.DisposeAsync();
        _host = null;
    }

    [Test]
    public async Task Start_InTheGroupOfServers_HasItsProgramsBeside()
    {
        var server = $"{_group!.Path}/{GroupTree.ServerGroup}";
        Directory.CreateDirectory(server);
        await ServeAsync(_group, Limits, server);
        await using var client = await ConnectAsync();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho runs; read line");
        await client.OutputUntilAsync("runs");
        Assert.That(File.ReadAllText(_group.Programs.Single() + "/memory.max"), Is.EqualTo("67108864\n"));
    }

    private async Task ServeAsync(CountedGroup group, string options, string? path = null)
    {
        string[] words = ["-c", "echo 0 >\"$0\" && exec \"$@\"", $"{path ?? group.Path}/cgroup.procs", HostProcess.Executable];
        _host = HostProcess.Start(_folder!.Path, [.. words, .. "--port 0 --no-tls --temp-dir temp --work-dir work".Split(' '), .. options.Split(' ')], Patient, "/bin/sh");
        await _host.ReadUntilAsync("Ctrl-C");
    }

    // Programs of a user of their own, who can leave no group.
    private async Task<FurtherTestClient> ConnectAsync() => new(await WebSocketWire.ConnectAsync(new UriBuilder(_host!.Address)
    {
        Scheme = "ws",
        Path = "/run",
        Query = UserAccount.Current.Uid == 0 ? "?user=games" : "",
    }.Uri));

    private static async Task<(int Code, string? Reason)> EndAsync(FurtherTestClient client, string process)
    {
        var data = (await client.UntilAsync("stopped", process))["data"]!;
        return ((int)data["exitCode"]!, (string?)data["reason"]);
    }
}
