using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Tests.Processes.ControlGroups;

public sealed class GroupTreeTests
{
    private const string Service = "/system.slice/furtherlink.service";
    private const string Full = FakeGroupFiles.Mount + Service;
    private const string Server = Full + "/" + GroupTree.ServerGroup;

    private const int Self = 100;

    private static readonly RunProfile Both = new() { Memory = 64 * 1024 * 1024, Processes = 20 };
    private static readonly RunProfile Memory = new() { Memory = 64 * 1024 * 1024 };
    private static readonly RunProfile Processes = new() { Processes = 20 };

    private static readonly Dictionary<int, int> Parents = new() { [100] = 1, [101] = 100, [102] = 101, [200] = 1 };

    [Test]
    public void TryMake_DelegatedService_MovesTheServerAndSetsLimits()
    {
        var files = OfService(Self);
        var group = Tree(files).TryMake(Both)!;
        Assert.That(files.GroupOf(Self), Is.EqualTo(Server));
        Assert.That(files.Read(Full + "/cgroup.subtree_control"), Is.EqualTo("cpu memory pids\n"));
        Assert.That(group.Path, Does.Match($"^{Full}/furtherlink-program-[0-9a-f]{{16}}$"));
        Assert.That((files[group.Path + "/memory.max"], files[group.Path + "/memory.swap.max"], files[group.Path + "/pids.max"]), Is.EqualTo(("67108864", "0", "20")));
        Assert.That((group.LimitsMemory, group.LimitsProcesses), Is.EqualTo((true, true)));
    }

    [TestCase(0.5, "50000 100000")]
    [TestCase(2, "200000 100000")]
    [TestCase(0.01, "1000 100000")]
    public void TryMake_ShareOfTheProcessors_IsSet(double cpus, string expected)
    {
        var files = OfService(Self);
        var tree = Tree(files);
        Assert.That(tree.TroubleWithCpus(), Is.Null);
        var group = tree.TryMake(new RunProfile { Cpus = cpus })!;
        Assert.That((files[group.Path + "/cpu.max"], group.LimitsCpus, group.LimitsMemory), Is.EqualTo((expected, true, false)));
    }

    [Test]
    public void TroubleWithCpus_ControllerNotDelegated_IsSaid()
    {
        var tree = Tree(OfService(Self).With("/system.slice", "memory pids"));
        Assert.That(tree.TroubleWithCpus(), Is.EqualTo($"{Full} does not hand the controller \"cpu\" on"));
        Assert.That(tree.TryMake(new RunProfile { Cpus = 1 })!.LimitsCpus, Is.False);
    }

    [Test]
    public void TroubleWithCpus_NoGroups_SaysWhy()
    {
        Assert.That(Tree(OfService(Self, 200)).TroubleWithCpus(), Does.StartWith("other programs than this one are in "));
    }

    [Test]
    public void Prepare_StartedInTheGroupOfServers_HandsOnWhatIsAboveIt()
    {
        var files = OfService().With(Service + "/" + GroupTree.ServerGroup, "", Self);
        var group = Tree(files).TryMake(Both)!;
        Assert.That(files.Read(Full + "/cgroup.subtree_control"), Is.EqualTo("cpu memory pids\n"));
        Assert.That((Path.GetDirectoryName(group.Path), group.LimitsMemory, group.LimitsProcesses), Is.EqualTo((Full, true, true)));
        Assert.That(files.GroupOf(Self), Is.EqualTo(Server));
    }

    [Test]
    public void TryMake_OneLimit_LeavesTheOther()
    {
        var files = OfService(Self);
        var group = Tree(files).TryMake(Processes)!;
        Assert.That((files[group.Path + "/memory.max"], files[group.Path + "/memory.swap.max"]), Is.EqualTo(((string?)null, (string?)null)));
        Assert.That((group.LimitsMemory, group.LimitsProcesses), Is.EqualTo((false, true)));
    }

    [Test]
    public void TryMake_OfASandbox_LeavesRoomForWhatItNeeds()
    {
        var files = OfService(Self);
        Assert.That(files[Tree(files).TryMake(new RunProfile { Processes = 20, Sandbox = true })!.Path + "/pids.max"], Is.EqualTo("22"));
    }

    [Test]
    public void TryMake_ControllerNotDelegated_SaysWhatItDoesNotHold()
    {
        var files = OfService(Self).With("/system.slice", "pids");
        var group = Tree(files).TryMake(Both)!;
        Assert.That((group.LimitsMemory, group.LimitsProcesses), Is.EqualTo((false, true)));
    }

    [Test]
    public void TryMake_Twice_MakesTwoGroups()
    {
        var files = OfService(Self);
        var tree = Tree(files);
        var first = tree.TryMake(Processes)!;
        var second = tree.TryMake(Processes)!;
        Assert.That(first.Path, Is.Not.EqualTo(second.Path));
        Assert.That(files.All.Count(static path => path.Contains("program", StringComparison.Ordinal)), Is.EqualTo(2));
    }

    [Test]
    public void TryMake_WithoutSwapFile_LimitsMemoryAllTheSame()
    {
        var files = OfService(Self);
        files.Missing.Add("memory.swap.max");
        Assert.That(Tree(files).TryMake(Memory)!.LimitsMemory);
    }

    [Test]
    public void Prepare_ProcessesOfItsOwn_MoveWithIt()
    {
        var files = OfService(Self, 101, 102);
        Assert.That(Tree(files).Prepare());
        Assert.That(new[] { Self, 101, 102 }.Select(files.GroupOf), Is.All.EqualTo(Server));
    }

    [Test]
    public void Prepare_OthersInTheGroup_LeavesEverythingAsItIs()
    {
        var files = OfService(Self, 200);
        var before = files.All.ToList();
        Assert.That(Tree(files).TryMake(Both), Is.Null);
        Assert.That(files.All, Is.EqualTo(before));
        Assert.That((files.GroupOf(Self), files.GroupOf(200)), Is.EqualTo((Full, Full)));
    }

    [Test]
    public void Prepare_NotDelegated_LeavesEverythingAsItIs()
    {
        var files = OfService(Self);
        files.Delegated = "/elsewhere";
        var before = files.All.ToList();
        Assert.That(Tree(files).Prepare(), Is.False);
        Assert.That(files.All, Is.EqualTo(before));
    }

    [Test]
    public void Prepare_NoControllers_LeavesEverythingAsItIs()
    {
        var files = OfService(Self).With("/system.slice", "io");
        Assert.That(Tree(files).Prepare(), Is.False);
        Assert.That(files.GroupOf(Self), Is.EqualTo(Full));
    }

    [Test]
    public void Prepare_ControllersRefused_MovesBack()
    {
        var files = OfService(Self, 101);
        files.Missing.Add("cgroup.subtree_control");
        Assert.That(Tree(files).Prepare(), Is.False);
        Assert.That((files.GroupOf(Self), files.GroupOf(101)), Is.EqualTo((Full, Full)));
        Assert.That(files.All, Does.Not.Contain(Server));
    }

    [Test]
    public void Prepare_AgainAfterRefusal_DoesNotTryAgain()
    {
        var files = OfService(Self, 200);
        var tree = Tree(files);
        Assert.That(tree.Prepare(), Is.False);
        files.Write(Full + "/cgroup.kill", "1");
        files.With(Service, "", Self);
        Assert.That(tree.Prepare(), Is.False);
    }

    [Test]
    public void TryMake_StartedByAServerThatHasMoved_UsesItsGroups()
    {
        var files = OfService(Self, 101);
        Tree(files).Prepare();
        var holder = new FakeHolder(files, 101);
        var group = new GroupTree(holder, 101, Parent).TryMake(Memory)!;
        Assert.That(Path.GetDirectoryName(group.Path), Is.EqualTo(Full));
        Assert.That(group.LimitsMemory);
        Assert.That(files.GroupOf(101), Is.EqualTo(Server));
    }

    [Test]
    public void TryMake_InTheRootOfTheTree_NeedsNoMove()
    {
        var files = new FakeGroupFiles().With("", "", 1, 2, Self);
        var group = Tree(files).TryMake(Both)!;
        Assert.That(files.GroupOf(Self), Is.EqualTo(FakeGroupFiles.Mount));
        Assert.That(Path.GetDirectoryName(group.Path), Is.EqualTo(FakeGroupFiles.Mount));
        Assert.That((group.LimitsMemory, group.LimitsProcesses), Is.EqualTo((true, true)));
    }

    [TestCase("1:name=systemd:/\n", TestName = "Find_OldGroupsOnly_IsNothing")]
    [TestCase("0::/../../elsewhere\n", TestName = "Find_OutsideTheContainer_IsNothing")]
    public void Find_NotShown_IsNothing(string groups) => Assert.That(OwnGroup.Find(new FakeGroupFiles { OwnGroup = groups }), Is.Null);

    [TestCase("30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", "/a/b", "/sys/fs/cgroup/a/b")]
    [TestCase("30 24 0:26 / /sys/fs/cgroup/unified rw shared:1 master:2 - cgroup2 none rw", "/", "/sys/fs/cgroup/unified")]
    [TestCase("30 24 0:26 /a /my\\040groups rw - cgroup2 cgroup2 rw", "/a/b", "/my groups/b")]
    [TestCase("30 24 0:26 /a /groups rw - cgroup2 cgroup2 rw", "/ab", null)]
    [TestCase("30 24 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory", "/a", null)]
    [TestCase("30 24", "/a", null)]
    public void Find_Mount_GivesTheDirectory(string mount, string own, string? expected) =>
        Assert.That(OwnGroup.Find(new FakeGroupFiles { Mounts = "24 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + mount + "\n", OwnGroup = $"0::{own}\n" }), Is.EqualTo(expected));

    [Test]
    public void Group_Events_AreCounted()
    {
        var files = OfService(Self);
        var group = Tree(files).TryMake(Both)!;
        files[group.Path + "/memory.events"] = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n";
        files[group.Path + "/pids.events"] = "max 7\n";
        files[group.Path + "/cpu.stat"] = "usage_usec 1500000\nuser_usec 1000000\n";
        Assert.That((group.MemoryKills, group.ProcessRefusals, group.CpuTime), Is.EqualTo((2, 7, TimeSpan.FromSeconds(1.5))));
    }

    [Test]
    public void Group_KilledAndRemoved_TakesWhatItsProcessesHaveMadeWithIt()
    {
        var files = OfService(Self);
        var group = Tree(files).TryMake(Both)!;
        var path = group.Path[FakeGroupFiles.Mount.Length..];
        files.With(path, "", 300).With(path + "/own", "", 301).With(path + "/own/deeper", "");
        Assert.That(group.TryRemove(), Is.False);
        group.Kill();
        Assert.That(group.TryRemove());
        Assert.That(files.All, Has.None.Contains("program"));
    }

    private static FakeGroupFiles OfService(params int[] processes) =>
        new FakeGroupFiles { Self = Self, Delegated = Service }.With("", "cpu memory pids", 1).With("/system.slice", "cpu memory pids").With(Service, "", processes);

    private static GroupTree Tree(FakeGroupFiles files) => new(files, files.Self, Parent);

    private static int? Parent(int pid) => Parents.TryGetValue(pid, out var parent) ? parent : null;

    /// <summary>The same groups as another process sees them.</summary>
    private sealed class FakeHolder(FakeGroupFiles files, int pid) : IGroupFiles
    {
        public string? Read(string path) => path == "/proc/self/cgroup" ? $"0::{files.GroupOf(pid)![FakeGroupFiles.Mount.Length..]}\n" : files.Read(path);

        public string? Write(string path, string text) => files.Write(path, text);

        public string? Make(string path) => files.Make(path);

        public bool Remove(string path) => files.Remove(path);

        public IReadOnlyList<string> Groups(string path) => files.Groups(path);
    }
}
