using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Native;
using FurtherLink.Processes.Profiles;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes.Profiles;

/// <summary>Programs are held to their runner's profile: limits of real programs, and what they see when they run apart.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
public sealed class ProfileTests
{
    private readonly RunProfile _profile = new();
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp()
    {
        (_profile.Cpus, _profile.OpenFiles) = (null, null);
        (_profile.Memory, _profile.CpuTime, _profile.Processes, _profile.WallTime, _profile.Sandbox, _profile.Network) = (null, null, null, null, false, false);
        _rig = new ProgramRig(options => options.Profiles["exec"] = _profile);
    }

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [TestCase(null, 0)]
    [TestCase(256L * 1024 * 1024, 1)]
    public async Task Memory_BeyondTheLimit_IsNotGiven(long? memory, int code)
    {
        _profile.Memory = memory;
        var program = await _rig.BashAsync("exec /usr/bin/python3 -c 'len(bytearray(400 * 1024 * 1024))'");
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(code));
    }

    [TestCase(64, "64 64\n")]
    [TestCase(int.MaxValue, "MOST MOST\n")]
    public async Task OpenFiles_OfEachProcess_AreLimited(int files, string expected)
    {
        _profile.OpenFiles = files;
        var program = await _rig.BashAsync("echo $(bash -c 'ulimit -Sn; ulimit -Hn')");
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo(expected.Replace("MOST", $"{Math.Min(Libc.MostOpenFiles(), int.MaxValue)}", StringComparison.Ordinal)), program.ErrorText);
    }

    [Test]
    public void Cpus_WithoutAControlGroup_AreRefused()
    {
        _profile.Cpus = 0.5;
        Assert.That(() => _rig.BashAsync("true"), Throws.InstanceOf<LinkException>().With.Message.Contains("limits processors").And.Message.Contains("log"));
    }

    [Test]
    public async Task CpuTime_OverTheLimit_EndsTheProgramAndIsSaid()
    {
        _profile.CpuTime = TimeSpan.FromSeconds(1);
        var program = await _rig.BashAsync("while :; do :; done");
        var status = await program.ExitAsync();
        Assert.That((status.Signal, status.Reason), Is.EqualTo((24, "over its limit of processor time (1 s)")));
    }

    [Test]
    public async Task WallTime_OverTheLimit_EndsTheProgramWithAllOfItAndIsSaid()
    {
        _profile.WallTime = TimeSpan.FromMilliseconds(300);
        var program = await _rig.BashAsync("setsid sleep 1000 & echo $!; exec sleep 1000");
        var status = await program.ExitAsync();
        Assert.That((status.Signal, status.Reason), Is.EqualTo((15, "over its time limit (0.3 s)")));
    }

    [Test]
    public async Task Processes_OfAForkBomb_AreBounded()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore("Running a program as another user needs root, which this machine's tests do not have.");
        _profile.Processes = 20;
        _rig.User = UserAccount.TryFind("news")!;

        // Each that is started starts two more, for as long as any can be; dash gives up where bash tries for 15 s.
        var program = await _rig.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nbomb() { bomb | bomb & }\nbomb\nexec sleep 1000" });
        await program.SeeAsync("fork");
        Assert.That(Count(_rig.User.Uid), Is.InRange(1, 20));
        await program.Process.DisposeAsync();
        Assert.That(Count(_rig.User.Uid), Is.Zero);

        static int Count(uint uid) => ProcFs.Processes().Count(pid => Libc.OwnerOf($"/proc/{pid}") == uid);
    }

    [Test]
    public void Processes_OfRoot_AreRefused()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore("Running as root needs root, which this machine's tests do not have.");
        _profile.Processes = 20;
        Assert.That(() => _rig.BashAsync("true"), Throws.InstanceOf<LinkException>().With.Message.Contains("another user"));
    }

    [Test]
    public async Task Profile_OfEveryRunner_CountsWhereOneHasNoneOfItsOwn()
    {
        await using var rig = new ProgramRig(options =>
        {
            options.Profiles["*"] = new RunProfile { WallTime = TimeSpan.FromMilliseconds(200) };
            options.Profiles["python3"] = new RunProfile();
        });
        var limited = await rig.BashAsync("exec sleep 1000");
        Assert.That((await limited.ExitAsync()).Reason, Does.Contain("time limit"));
        var free = await rig.PythonAsync("import time; time.sleep(0.5)");
        Assert.That(await free.ExitAsync(), Is.EqualTo(new ExitStatus(0)));
    }

    [Test]
    public async Task Sandbox_SeesTheSystemReadOnly_AndWritesInItsWorkDirectoryAlone()
    {
        _profile.Sandbox = true;
        Directory.CreateDirectory(_rig.Work);
        Directory.CreateDirectory(_rig.Temp);
        await File.WriteAllTextAsync(Path.Combine(_rig.Temp, "of-others"), "secret");
        var program = await _rig.StartAsync(new RunRequest("exec")
        {
            Path = "project",
            Code = $"""
                #!/bin/sh
                : >here && echo wrote here
                touch /etc/furtherlink-test 2>/dev/null || echo not in /etc
                cat {_rig.Temp}/of-others 2>/dev/null || echo no files of others
                ls -A /home /root
                : >/tmp/mine && echo wrote in /tmp
                ps -e -o comm= 2>/dev/null | grep -c dotnet
                exit 3
                """,
        });
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(3));
        Assert.That(
            program.Text,
            Is.EqualTo("wrote here\nnot in /etc\nno files of others\n/home:\n\n/root:\nwrote in /tmp\n0\n"));
        Assert.That(File.Exists(Path.Combine(_rig.Work, "project", "here")), Is.True);
        Assert.That(File.Exists("/tmp/mine"), Is.False);
        Assert.That(File.Exists("/etc/furtherlink-test"), Is.False);
    }

    [TestCase(false, "refused")]
    [TestCase(true, "connected")]
    public async Task Sandbox_HasTheNetworkWhereItMay(bool network, string expected)
    {
        (_profile.Sandbox, _profile.Network) = (true, network);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var program = await _rig.BashAsync($"exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected || echo refused");
        await program.ExitAsync();
        Assert.That(program.Text.Trim(), Is.EqualTo(expected));
    }

    [Test]
    public async Task Sandbox_OnATerminal_HearsKeysAndEndsWithItsStop()
    {
        _profile.Sandbox = true;
        var program = await _rig.BashAsync("trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.05; done", new TerminalSize(24, 80));
        await program.SeeAsync("ready");
        await program.TypeAsync("\u0003");
        await program.SeeAsync("interrupted");
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(9));
    }

    [Test]
    public async Task WallTime_OfWhatAProgramHasLeft_IsOverAsWell()
    {
        _profile.WallTime = TimeSpan.FromSeconds(1);
        var program = await _rig.BashAsync("setsid sleep 1000 >/dev/null 2>&1 & echo $!");
        Assert.That(await program.ExitAsync(), Is.EqualTo(new ExitStatus(0)));
        await Patience.UntilAsync(() => !Directory.Exists($"/proc/{program.Text.Trim()}"), "its end");
    }

    [Test]
    public async Task Sandbox_FileOutsideTheWorkDirectory_IsAllThatIsSeenThere()
    {
        _profile.Sandbox = true;
        var folder = Directory.CreateDirectory(Path.Combine(_rig.Directory, "others")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "secret"), "");
        var path = Path.Combine(folder, "program");
        await File.WriteAllTextAsync(path, "#!/bin/sh\npwd; ls -A; : >new || echo read-only");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        var program = await _rig.StartAsync(new RunRequest("exec") { Path = path });
        await program.ExitAsync();
        Assert.That(program.Text, Does.StartWith($"{folder}\nprogram\n"));
        Assert.That(Directory.EnumerateFiles(folder).Select(Path.GetFileName), Is.EquivalentTo(new[] { "program", "secret" }));
    }

    [TestCase("OUTSIDE", true)]
    [TestCase("OUTSIDE/new", true)]
    [TestCase("link", true)]
    [TestCase("link/new", true)]
    [TestCase("OUTSIDE/new", false)]
    [TestCase("link/new", false)]
    [TestCase("../new", false)]
    public void Sandbox_OfARequestThatNamesADirectoryElsewhere_MakesNothingThere(string path, bool hasCode)
    {
        _profile.Sandbox = true;
        _rig.Options.Profiles["program"] = _profile;
        Directory.CreateDirectory(_rig.Temp);
        var outside = Directory.CreateDirectory(Path.Combine(_rig.Directory, "outside")).FullName;
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(_rig.Work).FullName, "link"), outside);
        var before = Entries();
        var request = new RunRequest(hasCode ? "exec" : "program") { Path = path.Replace("OUTSIDE", outside, StringComparison.Ordinal), Code = hasCode ? "#!/bin/sh\nls" : null, Arguments = hasCode ? [] : ["ls"] };
        Assert.That(() => _rig.StartAsync(request), Throws.InstanceOf<LinkException>().With.Message.Contains("work directory"));
        Assert.That(Entries(), Is.EquivalentTo(before));

        // The server keeps its Python package in the temporary directory.
        List<string> Entries() =>
            [.. Directory.EnumerateFileSystemEntries(_rig.Directory, "*", SearchOption.AllDirectories).Where(entry => !entry.StartsWith(_rig.Temp, StringComparison.Ordinal))];
    }

    [Test]
    public async Task Sandbox_LoaderVariables_AreHeededInsideOnly()
    {
        (_profile.Sandbox, _profile.Memory) = (true, 1L << 32);
        var traces = Directory.CreateDirectory(Path.Combine(_rig.Directory, "traces")).FullName;
        var program = await _rig.StartAsync(new RunRequest("exec")
        {
            Code = "#!/bin/sh\necho $LD_DEBUG_OUTPUT",
            Environment = new Dictionary<string, string?> { ["LD_DEBUG"] = "files", ["LD_DEBUG_OUTPUT"] = traces + "/trace" },
        });
        await program.ExitAsync();
        Assert.That(program.Text, Does.EndWith(traces + "/trace\n"), "which the loader prints to, where it cannot make the file");
        Assert.That(Directory.EnumerateFiles(traces), Is.Empty, "written by what stands before the program");
    }

    [Test]
    public async Task Sandbox_Signals_ReachTheProgramAndItsCodeComesBack()
    {
        _profile.Sandbox = true;
        var program = await _rig.BashAsync("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
        await program.SeeAsync("ready");
        program.Process.Signal(15);
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(5));
    }

    [Test]
    public async Task Sandbox_OfPythonCode_FindsThePackage()
    {
        await using var rig = new ProgramRig(options => options.Profiles["python3"] = new RunProfile { Sandbox = true });
        var program = await rig.PythonAsync("import further_link, os; print(os.path.exists(__file__), input())");
        await program.TypeAsync("typed\n");
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("True typed\n"), program.ErrorText);
    }

    [Test]
    public async Task Sandbox_OfAShell_WorksInTheWorkDirectory()
    {
        await using var rig = new ProgramRig(options => options.Profiles["shell"] = new RunProfile { Sandbox = true });
        Directory.CreateDirectory(rig.Work);
        rig.User = rig.User with { Shell = "/bin/bash" };
        var program = await rig.StartAsync(new RunRequest("shell") { Path = rig.Work, Terminal = TerminalSize.Default });
        await program.TypeAsync("echo made > file; set -m; sleep 1000 & kill %1; echo re''ady $?; exit 6\n");
        await program.SeeAsync("ready 0");
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(6));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(rig.Work, "file")), Is.EqualTo("made\n"));
    }

    [Test]
    public async Task Sandbox_ThatTheDeviceDoesNotLetOneHave_IsRefusedWithItsWords()
    {
        await using var loop = new IoLoop(null);
        await using var starter = new ChildStarter(loop, Microsoft.Extensions.Options.Options.Create(new LinkOptions()));
        var trial = new SandboxTrial(starter, static (user, _) => new SpawnRequest
        {
            Program = "/bin/sh",
            Arguments = ["/bin/sh", "-c", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"],
            Environment = [],
            Directory = "/",
            User = user,
        });
        Assert.That(
            async () => await trial.EnsureAsync(UserAccount.Current, _profile, CancellationToken.None),
            Throws.InstanceOf<LinkException>().With.Message.Contains("No permissions to create new namespace").And.Message.Contains("apart"));
    }

    [Test]
    public async Task Sandbox_OfAnotherUser_Works()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore("Running a program as another user needs root, which this machine's tests do not have.");
        _profile.Sandbox = true;
        _rig.User = UserAccount.TryFind("games")!;
        var program = await _rig.BashAsync("id -un; exit 4");
        var status = await program.ExitAsync();
        Assert.That(program.Text + status.Code, Is.EqualTo("games\n4"), program.ErrorText);
    }
}
