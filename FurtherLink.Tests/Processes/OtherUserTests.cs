using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class OtherUserTests
{
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"only root can run programs as another user, and the tests run as uid {UserAccount.Current.Uid}");
        // The account "daemon" is on every Debian; its home, /usr/sbin, is none that it can write to.
        _rig = new ProgramRig { User = UserAccount.TryFind("daemon")! };
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_rig is not null)
            await _rig.DisposeAsync();
    }

    [Test]
    public async Task Start_IdsAndGroups_AreTheUsers([Values] bool terminal)
    {
        var program = await _rig.BashAsync(
            "id -u; id -ru; id -g; id -G; cat /proc/self/status | grep -E 'CapEff|SigIgn|SigBlk'; echo $USER $HOME", terminal ? TerminalSize.Default : null);
        await program.ExitAsync();
        var user = _rig.User;
        Assert.That(program.Text.ReplaceLineEndings("\n"), Does.Match(
            $@"^{user.Uid}\n{user.Uid}\n{user.Gid}\n{string.Join(' ', user.Groups)}\nSigBlk:\t0+\nSigIgn:\t0+\nCapEff:\t0+\ndaemon {user.Home}\n$"));
    }

    [TestCase("program")]
    [TestCase("a=b")]
    public async Task Start_LoaderVariables_AreHeededAsTheUserOnly(string name)
    {
        // The loader of whoever starts first makes the file.
        var traces = Directory.CreateDirectory(Path.Combine(_rig.Directory, "traces")).FullName;
        File.SetUnixFileMode(traces, (UnixFileMode)0b111_111_111);
        var path = Path.Combine(_rig.Directory, name);
        await File.WriteAllTextAsync(path, "#!/bin/sh\necho \"$LD_DEBUG_OUTPUT $MALLOC_ARENA_MAX $TZDIR $PLAIN\"");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        var program = await _rig.StartAsync(new RunRequest("exec")
        {
            Path = path,
            Environment = new Dictionary<string, string?> { ["LD_DEBUG"] = "files", ["LD_DEBUG_OUTPUT"] = traces + "/trace", ["MALLOC_ARENA_MAX"] = "2", ["TZDIR"] = "/tz dir", ["PLAIN"] = "yes" },
        });
        Assert.That((await program.ExitAsync()).Code, Is.Zero, program.ErrorText);
        Assert.That(program.Text, Is.EqualTo($"{traces}/trace 2 /tz dir yes\n"));
        var owners = Directory.EnumerateFiles(traces).Select(FurtherLink.Processes.Native.Libc.OwnerOf).ToList();
        Assert.That(owners, Is.Not.Empty.And.All.EqualTo(_rig.User.Uid));
    }

    [Test]
    public async Task Start_Mark_CanBeRead()
    {
        var program = await _rig.BashAsync("echo runs; read line");
        await program.SeeAsync("runs");
        Assert.That(FurtherLink.Processes.Native.Libc.GetMark(program.Process.Id), Is.Not.Null.And.Not.EqualTo(ulong.MaxValue));
    }

    [Test]
    public async Task Start_Leader_IsTheProgramItself()
    {
        var program = await _rig.StartAsync(new RunRequest("exec") { Code = "#!/bin/bash\necho $$ $(ps -o sid= $$)" });
        await program.ExitAsync();
        Assert.That(program.Text, Does.Match($@"^{program.Process.Id}\s+{program.Process.Id}\n$"));
    }

    [Test]
    public async Task Start_Terminal_IsTheUsers()
    {
        var program = await _rig.BashAsync("stat -c %U $(tty); echo open >/dev/tty; exec 3<>$(tty) && echo again >&3", TerminalSize.Default);
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("daemon\r\nopen\r\nagain\r\n"));
    }

    [Test]
    public async Task Code_FileAndDirectories_AreTheUsers()
    {
        var program = await _rig.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nstat -c '%U %G %a' $0 . ..", Path = "a/b" });
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("daemon daemon 700\ndaemon daemon 755\ndaemon daemon 755\n"));
        Assert.That(Directory.EnumerateFiles(_rig.Work + "/a/b"), Is.Empty);
    }

    [Test]
    public void Code_WhereTheUserMayNotWrite_IsRefused()
    {
        var directory = Directory.CreateDirectory(Path.Combine(_rig.Directory, "roots")).FullName;
        Assert.That(
            async () => await _rig.StartAsync(new RunRequest("python3") { Code = "", Path = directory + "/new" }),
            Throws.InstanceOf<LinkException>().With.Message.Contains(directory));
        Assert.That(Directory.EnumerateFileSystemEntries(directory), Is.Empty);
    }

    [Test]
    public async Task Exec_FileOfSomebodyElse_IsLeftAsItIs()
    {
        Directory.CreateDirectory(_rig.Work);
        var path = _rig.Work + "/roots";
        await File.WriteAllTextAsync(path, "#!/bin/sh\n");
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead;
        File.SetUnixFileMode(path, Mode);
        Assert.That(async () => await _rig.StartAsync(new RunRequest("exec") { Path = "roots" }), Throws.InstanceOf<LinkException>().With.Message.Contains("chmod"));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(Mode));
    }

    [Test]
    public void Exec_NoFirstLine_IsRefusedAsForOneself() =>
        Assert.That(async () => await _rig.StartAsync(new RunRequest("exec") { Code = "echo never run by a shell" }), Throws.InstanceOf<LinkException>().With.Message.Contains("#!"));

    [Test]
    public void Start_DirectoryNotEnterable_IsRefused()
    {
        var directory = Directory.CreateDirectory(Path.Combine(_rig.Directory, "closed")).FullName;
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.That(async () => await _rig.StartAsync(new RunRequest("python3") { Path = directory + "/x.py" }), Throws.InstanceOf<LinkException>());
    }

    [Test]
    public async Task Dispose_UsersTree_Ends()
    {
        var program = await _rig.BashAsync("(setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000' &)\nread line");
        await program.SeeAsync("\n");
        await program.Process.DisposeAsync();
        Assert.That(Directory.Exists($"/proc/{program.Text.Trim()}"), Is.False);
    }

    [Test]
    public async Task ActingAsAUser_OtherThreads_AreNotAffected()
    {
        var closed = Path.Combine(_rig.Directory, "closed");
        await File.WriteAllTextAsync(closed, "");
        File.SetUnixFileMode(closed, UnixFileMode.UserRead);
        Assert.That(ReadAs(_rig.User, closed), Is.False);
        Assert.That(await Task.Run(() => ReadAs(UserAccount.Current, closed)), Is.True);
        Assert.That(ReadAs(UserAccount.Current, closed), Is.True);
    }

    private static bool ReadAs(UserAccount user, string path)
    {
        using var _ = new FileUser(user);
        try
        {
            File.ReadAllText(path);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
