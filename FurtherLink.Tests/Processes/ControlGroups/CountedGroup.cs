using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Tests.Processes.ControlGroups;

/// <summary>An empty group of the kernel's, in a tree that counts memory, processes and processor time. Disposing kills and removes it.</summary>
internal sealed class CountedGroup : IAsyncDisposable
{
    /// <summary>The category of tests that need one, by which they are run on another kernel where this machine's own counts nothing.</summary>
    public const string Category = "CountedGroups";

    private static readonly string[] Controllers = ["memory", "pids", "cpu"];

    private readonly GroupFiles _files = new();

    private CountedGroup(string path) => Path = path;

    /// <summary>Its directory.</summary>
    public string Path { get; }

    /// <summary>The groups of programs in it, whose servers are in it.</summary>
    public IEnumerable<string> Programs => Directory.GetDirectories(Path, "furtherlink-program-*");

    /// <summary>Makes it in the nearest group above the tests' own that hands the controllers on; where there is none, the test is skipped.</summary>
    public static CountedGroup Create()
    {
        var files = new GroupFiles();
        var own = OwnGroup.Find(files);
        var parent = own;
        while (parent is not null && !HandsOn(files, parent))
            parent = System.IO.Path.GetDirectoryName(parent);
        if (parent is null)
            Assert.Ignore($"This machine hands the controllers {string.Join(", ", Controllers)} of control groups of version 2 on to nobody ({own ?? "there is no such tree"}).");
        var path = $"{parent}/fl-test-{Guid.NewGuid():N}";
        if (files.Make(path) is { } refused)
            Assert.Ignore($"No group can be made in {parent} by {Environment.UserName}: {refused}");
        return new CountedGroup(path);
    }

    /// <summary>The kernel's files, as one sees them who is alone in it.</summary>
    public IGroupFiles Files() => new FilesInIt(_files, Path);

    public async ValueTask DisposeAsync()
    {
        using var group = new ControlGroup(_files, Path);
        Assert.That(await group.EndAsync(), "the test's group is not removed");
    }

    private static bool HandsOn(GroupFiles files, string group) =>
        files.Read(group + "/cgroup.subtree_control") is { } handed && Controllers.All(controller => handed.Contains(controller, StringComparison.Ordinal));

    private sealed class FilesInIt(GroupFiles files, string path) : IGroupFiles
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
