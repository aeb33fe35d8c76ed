using System.Runtime.Versioning;
using FurtherLink.Processes;
using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>Real programs against the kernel's own limits, where this machine has the controllers of version 2.</summary>
[SupportedOSPlatform("linux")]
public sealed class CountedGroupTests
{
    private readonly GroupFiles _files = new();
    private ControlGroup? _own;
    private ProgramRig _rig = null!;
    private RunProfile _profile = null!;

    [SetUp]
    public void SetUp()
    {
        var root = OwnGroup.Find(_files) is { } own ? Root(own) : null;
        if (root is null || _files.Read(root + "/cgroup.subtree_control") is not { } handed || !handed.Contains("memory", StringComparison.Ordinal) || !handed.Contains("pids", StringComparison.Ordinal))
            Assert.Ignore($"This machine hands the controllers \"memory\" and \"pids\" of control groups of version 2 on to nobody ({root ?? "there is no such tree"}: {(root is null ? "" : _files.Read(root + "/cgroup.subtree_control")?.Trim())}).");
        var path = $"{root}/fl-test-{Guid.NewGuid():N}";
        if (_files.Make(path) is { } refused)
            Assert.Ignore($"No group can be made in {root} by {Environment.UserName}: {refused}");
        _own = new ControlGroup(_files, path);
        _profile = new RunProfile();
        _rig = new ProgramRig(options => options.Profiles["*"] = _profile, new InGroup(_files, path));
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_rig is not null)
            await _rig.DisposeAsync();
        if (_own is not null)
        {
            Assert.That(await _own.EndAsync(), "the test's group is not removed");
            _own.Dispose();
        }
    }

    [Test]
    public async Task Memory_OverTheLimit_EndsTheProgramAndIsSaid()
    {
        _profile.Memory = 64 * 1024 * 1024;
        var program = await _rig.PythonAsync("held = [bytearray(b'x' * (1 << 20)) for _ in range(400)]");
        var status = await program.ExitAsync();
        Assert.That((status.Signal, status.Reason), Is.EqualTo((9, "over its memory limit (64 MiB)")));
    }

    [Test]
    public async Task Processes_OfAForkBomb_AreBoundedAndEndAtOnce()
    {
        _profile.Processes = 30;
        if (UserAccount.Current.Uid == 0)
            _rig.User = UserAccount.TryFind("games")!;
        var program = await _rig.BashAsync("ulimit -u 500; bomb() { bomb | bomb & }; bomb; exec sleep 1000");
        await program.SeeAsync("fork");
        await program.Process.DisposeAsync();
        Assert.That(program.Process.HasDescendants, Is.False);
    }

    private static string Root(string own)
    {
        var root = own;
        while (File.Exists(Path.Combine(Path.GetDirectoryName(root)!, "cgroup.procs")))
            root = Path.GetDirectoryName(root)!;
        return root;
    }

    /// <summary>The kernel's files, as one sees them who is in a group that nobody is in.</summary>
    private sealed class InGroup(GroupFiles files, string path) : IGroupFiles
    {
        public string? Read(string file) => file switch
        {
            "/proc/self/cgroup" => "0::/\n",
            "/proc/self/mountinfo" => $"30 24 0:26 / {path} rw - cgroup2 cgroup2 rw\n",
            _ => files.Read(file),
        };

        public string? Write(string file, string text) => files.Write(file, text);

        public string? Make(string group) => files.Make(group);

        public bool Remove(string group) => files.Remove(group);

        public IReadOnlyList<string> Groups(string group) => files.Groups(group);
    }
}
