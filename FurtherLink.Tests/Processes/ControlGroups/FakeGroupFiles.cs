using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>
/// Control groups in memory, by the kernel's rules (its Documentation/admin-guide/cgroup-v2.rst): a controller's files are where the group above hands it
/// on; a group that hands some on has no processes, the root excepted; one with processes or groups in it stays.
/// </summary>
internal sealed class FakeGroupFiles : IGroupFiles
{
    public const string Mount = "/sys/fs/cgroup";

    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);

    /// <summary>The process that reads: what it is told of itself follows it.</summary>
    public int Self { get; init; } = 100;

    /// <summary>What is mounted, as /proc/self/mountinfo says it.</summary>
    public string Mounts { get; set; } = $"24 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 24 0:26 / {Mount} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    /// <summary>What /proc/self/cgroup says; null = where the process is.</summary>
    public string? OwnGroup { get; set; }

    /// <summary>The group below which this process may change things; "" = everywhere.</summary>
    public string Delegated { get; set; } = "";

    /// <summary>Files that the kernel does not have.</summary>
    public HashSet<string> Missing { get; } = new(StringComparer.Ordinal);

    public IEnumerable<string> All => _groups.Keys.Order(StringComparer.Ordinal);

    /// <summary>The group that a process is in.</summary>
    public string? GroupOf(int pid) => _groups.FirstOrDefault(group => group.Value.Processes.Contains(pid)).Key;

    /// <summary>Makes a group as the system has it.</summary>
    public FakeGroupFiles With(string path, string handsOn, params int[] processes)
    {
        var group = new Group();
        group.HandsOn.UnionWith(handsOn.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        group.Processes.UnionWith(processes);
        _groups[Path.TrimEndingDirectorySeparator(Mount + path)] = group;
        return this;
    }

    /// <summary>What a file holds that was written, or that the test lets it hold.</summary>
    public string? this[string path]
    {
        get => Find(path, out var name) is { } group ? group.Values.GetValueOrDefault(name) : null;
        set => Find(path, out var name)!.Values[name] = value!;
    }

    public string? Read(string path)
    {
        if (path == "/proc/self/mountinfo")
            return Mounts;
        if (path == "/proc/self/cgroup")
            return OwnGroup ?? $"1:name=systemd:/\n0::/{GroupOf(Self)![Mount.Length..].TrimStart('/')}\n";
        if (Find(path, out var name) is not { } group || !Has(path, name))
            return null;
        return name switch
        {
            "cgroup.controllers" => string.Join(' ', Controllers(Parent(path))) + "\n",
            "cgroup.subtree_control" => string.Join(' ', group.HandsOn) + "\n",
            "cgroup.procs" => string.Concat(group.Processes.Select(static pid => $"{pid}\n")),
            _ => group.Values.GetValueOrDefault(name, "max\n"),
        };
    }

    public string? Write(string path, string text)
    {
        if (Find(path, out var name) is not { } group || !Has(path, name))
            return "No such file or directory";
        if (!IsDelegated(Parent(path)))
            return "Permission denied";
        switch (name)
        {
            case "cgroup.subtree_control":
                return HandOn(group, Parent(path), text);
            case "cgroup.procs":
                return Move(group, Parent(path), int.Parse(text));
            case "cgroup.kill":
                foreach (var below in _groups.Where(one => IsWithin(one.Key, Parent(path))))
                    below.Value.Processes.Clear();
                return null;
            default:
                group.Values[name] = text;
                return null;
        }
    }

    public string? Make(string path)
    {
        if (!_groups.ContainsKey(Parent(path)))
            return "No such file or directory";
        if (!IsDelegated(Parent(path)))
            return "Permission denied";
        return _groups.TryAdd(path, new Group()) ? null : "File exists";
    }

    public bool Remove(string path)
    {
        if (!_groups.TryGetValue(path, out var group))
            return true;
        return group.Processes.Count == 0 && Groups(path).Count == 0 && IsDelegated(Parent(path)) && _groups.Remove(path);
    }

    public IReadOnlyList<string> Groups(string path) => [.. _groups.Keys.Where(other => Parent(other) == path)];

    private static string Parent(string path) => Path.GetDirectoryName(path)!;

    private static bool IsWithin(string path, string group) => path == group || path.StartsWith(group + "/", StringComparison.Ordinal);

    private bool IsDelegated(string group) => Delegated.Length == 0 || IsWithin(group, Mount + Delegated);

    private Group? Find(string path, out string name)
    {
        name = Path.GetFileName(path);
        return _groups.GetValueOrDefault(Parent(path));
    }

    /// <summary>The controllers that a group has: the root all, others what is handed on to them.</summary>
    private SortedSet<string> Controllers(string group) =>
        group == Mount ? ["cpu", "io", "memory", "pids"] : _groups[Parent(group)].HandsOn;

    private bool Has(string path, string name)
    {
        if (Missing.Contains(name))
            return false;
        var group = Parent(path);
        return name.Split('.')[0] switch
        {
            "cgroup" => name != "cgroup.type" || group != Mount,
            "cpu" when name == "cpu.stat" => true,
            var controller => group != Mount && Controllers(group).Contains(controller),
        };
    }

    private string? HandOn(Group group, string path, string text)
    {
        if (!Controllers(path).Contains(text[1..]))
            return "No such file or directory";
        if (group.Processes.Count > 0 && path != Mount)
            return "Device or resource busy";
        group.HandsOn.Add(text[1..]);
        return null;
    }

    private string? Move(Group group, string path, int pid)
    {
        if (group.HandsOn.Count > 0 && path != Mount)
            return "Device or resource busy";
        if (GroupOf(pid) is not { } from)
            return "No such process";
        if (!IsDelegated(from))
            return "Permission denied";
        _groups[from].Processes.Remove(pid);
        group.Processes.Add(pid);
        return null;
    }

    private sealed class Group
    {
        public SortedSet<string> HandsOn { get; } = new(StringComparer.Ordinal);

        public SortedSet<int> Processes { get; } = [];

        public Dictionary<string, string> Values { get; } = new(StringComparer.Ordinal);
    }
}
