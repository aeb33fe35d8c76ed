using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>
/// A group of the kernel's, in which programs really are; what the controllers of memory and processes would say is the test's to say, so that it does not
/// matter who has them on this machine. Disposing kills and removes it.
/// </summary>
internal sealed class UncountedGroupFiles : IGroupFiles, IAsyncDisposable
{
    private readonly GroupFiles _files = new();
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private UncountedGroupFiles(string path) => Path = path;

    /// <summary>The group's directory.</summary>
    public string Path { get; }

    /// <summary>The groups of programs in it.</summary>
    public IEnumerable<string> Programs => Directory.GetDirectories(Path, "furtherlink-program-*");

    /// <summary>Makes it, where this machine lets the tests; else the test is skipped.</summary>
    public static UncountedGroupFiles Create()
    {
        var files = new GroupFiles();
        var own = OwnGroup.Find(files);
        if (own is null)
            Assert.Ignore("This system shows no control groups of version 2.");
        var path = $"{own}/fl-test-{Guid.NewGuid():N}";
        if (files.Make(path) is { } refused)
            Assert.Ignore($"No group can be made in {own} by {Environment.UserName}: {refused}");
        if (!File.Exists(path + "/cgroup.kill"))
        {
            files.Remove(path);
            Assert.Ignore("This kernel is older than Linux 5.14, which kills no groups.");
        }

        return new UncountedGroupFiles(path);
    }

    /// <summary>What a file of the controllers says, of every group.</summary>
    public string? this[string file]
    {
        get
        {
            lock (_values)
                return _values.GetValueOrDefault(file);
        }

        set
        {
            lock (_values)
                _values[file] = value!;
        }
    }

    public string? Read(string path) => path switch
    {
        "/proc/self/cgroup" => "0::/\n",
        "/proc/self/mountinfo" => $"30 24 0:26 / {Path} rw - cgroup2 cgroup2 rw\n",
        _ when path.EndsWith("cgroup.controllers", StringComparison.Ordinal) || path.EndsWith("cgroup.subtree_control", StringComparison.Ordinal) => "cpu memory pids\n",
        _ when IsCounted(path) => Directory.Exists(System.IO.Path.GetDirectoryName(path)) ? this[System.IO.Path.GetFileName(path)] : null,
        _ => _files.Read(path),
    };

    public string? Write(string path, string text)
    {
        if (!IsCounted(path))
            return path.EndsWith("cgroup.subtree_control", StringComparison.Ordinal) ? null : _files.Write(path, text);
        this[System.IO.Path.GetFileName(path)] = text;
        return null;
    }

    public string? Make(string path) => _files.Make(path);

    public bool Remove(string path) => _files.Remove(path);

    public IReadOnlyList<string> Groups(string path) => _files.Groups(path);

    public async ValueTask DisposeAsync() => Assert.That(await new ControlGroup(_files, Path).EndAsync(), "the test's group is not removed");

    // What processor time is used is counted everywhere.
    private static bool IsCounted(string path) => System.IO.Path.GetFileName(path) is "cpu.max" || System.IO.Path.GetFileName(path).Split('.')[0] is "memory" or "pids";
}
