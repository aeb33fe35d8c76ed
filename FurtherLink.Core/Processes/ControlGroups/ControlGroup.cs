using System.Globalization;

namespace FurtherLink.Processes.ControlGroups;

/// <summary>
/// The control group of one program and all that it starts, which nobody of them can leave without the server's permissions. Disposing kills who is left in
/// it and removes it; several times do no harm.
/// </summary>
/// <param name="files">The kernel's files.</param>
/// <param name="path">Its directory.</param>
/// <param name="note">Crossed off when it is removed; null = nothing.</param>
internal sealed class ControlGroup(IGroupFiles files, string path, IDisposable? note = null) : IDisposable
{
    // Who is killed goes in well under a millisecond, unless a driver or a network file system holds it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    // Deeper than the kernel lets anybody make them by default is nothing.
    private const int MaxDepth = 32;

    /// <summary>Its directory.</summary>
    public string Path => path;

    /// <summary>Whether it holds the program to its limit of memory.</summary>
    public bool LimitsMemory { get; init; }

    /// <summary>Whether it holds the program to its limit of processes.</summary>
    public bool LimitsProcesses { get; init; }

    /// <summary>Whether it holds the program to its share of the processors.</summary>
    public bool LimitsCpus { get; init; }

    /// <summary>How many processes were killed because all together were over the limit of memory.</summary>
    public long MemoryKills => Number("memory.events", "oom_kill");

    /// <summary>How often no process could be started because of the limit.</summary>
    public long ProcessRefusals => Number("pids.events", "max");

    /// <summary>The processor time that all its processes have used so far, also those that have ended.</summary>
    public TimeSpan CpuTime => TimeSpan.FromMicroseconds(Number("cpu.stat", "usage_usec"));

    /// <summary>The words before a program's that start it in the group. What runs them must be allowed to.</summary>
    public IReadOnlyList<string> Enter() => ["/bin/sh", "-c", "echo 0 >\"$0\" || exit 125; exec \"$@\"", $"{path}/cgroup.procs"];

    /// <summary>Kills everybody in it at once, so that nobody can start others meanwhile. Since Linux 5.14; with an older one it does nothing.</summary>
    public void Kill() => files.Write($"{path}/cgroup.kill", "1");

    /// <summary>Removes it, with those that its processes have made in it.</summary>
    /// <returns>False where processes are left in it.</returns>
    public bool TryRemove()
    {
        if (!TryRemove(path, 0))
            return false;
        note?.Dispose();
        return true;
    }

    /// <summary>Kills who is left in it, and removes it.</summary>
    /// <returns>False where it cannot be removed.</returns>
    public async Task<bool> EndAsync()
    {
        Kill();
        var since = TimeProvider.System.GetTimestamp();
        while (!TryRemove())
        {
            if (TimeProvider.System.GetElapsedTime(since) > Patience)
                return false;
            await Task.Delay(Pause).ConfigureAwait(false);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // What nobody is in any more, as nearly always, is gone at once.
        if (!TryRemove())
            _ = EndAsync();
    }

    private bool TryRemove(string directory, int depth)
    {
        if (files.Remove(directory))
            return true;
        if (depth >= MaxDepth)
            return false;
        var below = files.Groups(directory).Select(group => TryRemove(group, depth + 1)).ToList();
        return below.Contains(true) && files.Remove(directory);
    }

    /// <summary>A number of a file with lines of a name and a number.</summary>
    private long Number(string file, string name)
    {
        foreach (var line in (files.Read($"{path}/{file}") ?? "").Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ' ')
                return long.Parse(line.AsSpan(name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
