using System.Globalization;
using FurtherLink.Processes.Leftovers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Processes.ControlGroups;

/// <summary>
/// Gives programs control groups of their own, below the one that this process was started in, where the system lets it: a service of systemd's with
/// Delegate=, or root. Nothing of the system is touched before the first group is asked for. Thread safe.
/// </summary>
/// <remarks>
/// A group that hands controllers on to others may have no processes itself (the "no internal processes" rule), so this process first moves into a
/// group beside those of its programs. It does so only where nobody else is in the group that it comes from.
/// </remarks>
internal sealed partial class GroupTree
{
    /// <summary>The group that servers move into.</summary>
    public const string ServerGroup = "furtherlink-server";

    private const string ProgramPrefix = "furtherlink-program-";
    private const string Memory = "memory";
    private const string Processes = "pids";
    private const string Cpu = "cpu";

    // What the kernel counts the processors' time in by default, in microseconds.
    private const int CpuPeriod = 100_000;

    private const string All = $"\"{Memory}\", \"{Processes}\" and \"{Cpu}\"";

    // bubblewrap waits outside, and is the first process inside.
    private const int OfSandbox = 2;

    private readonly Lock _lock = new();
    private readonly IGroupFiles _files;
    private readonly int _pid;
    private readonly Func<int, int?> _parentOf;
    private readonly Ledger? _ledger;
    private readonly ILogger _logger;
    private bool _isPrepared;
    private string? _base;
    private string[] _controllers = [];
    private string? _trouble;

    /// <summary>Makes one that has touched nothing yet.</summary>
    /// <param name="files">The kernel's files.</param>
    /// <param name="pid">This process.</param>
    /// <param name="parentOf">The parent of a process; null where there is no such process.</param>
    /// <param name="logger">Where it logs; null = nowhere.</param>
    /// <param name="ledger">Where groups are written down for the case of a crash; null = nowhere.</param>
    public GroupTree(IGroupFiles files, int pid, Func<int, int?> parentOf, ILogger? logger = null, Ledger? ledger = null)
    {
        _ledger = ledger;
        _files = files;
        _pid = pid;
        _parentOf = parentOf;
        _logger = logger ?? NullLogger.Instance;
    }

    /// <summary>
    /// Moves this process to where it can make groups, where it has not tried that before. To be called before others are started, who would have to be
    /// moved as well.
    /// </summary>
    /// <returns>Whether groups can be made.</returns>
    public bool Prepare()
    {
        lock (_lock)
        {
            if (_isPrepared)
                return _base is not null;
            _isPrepared = true;
            _trouble = TryPrepare();
            if (_trouble is null)
                Log.Prepared(_logger, _base!, string.Join(' ', _controllers));
            else
                Log.NotPrepared(_logger, _trouble);
            return _trouble is null;
        }
    }

    /// <summary>Why no program can be held to a share of the processors, in words; null where that can be done.</summary>
    public string? TroubleWithCpus()
    {
        if (!Prepare())
            return _trouble;
        return _controllers.Contains(Cpu, StringComparer.Ordinal) ? null : $"{_base} does not hand the controller \"{Cpu}\" on";
    }

    /// <summary>Makes a group for a program.</summary>
    /// <param name="profile">What its processes may use together.</param>
    /// <returns>The group, which holds as much of it as it says; null where none can be made.</returns>
    public ControlGroup? TryMake(RunProfile profile)
    {
        if (!Prepare())
            return null;
        var path = $"{_base}/{ProgramPrefix}{UniqueName.New()}";
        var note = _ledger?.NoteGroup(path);
        if (_files.Make(path) is { } refused)
        {
            note?.Dispose();
            Log.NotMade(_logger, path, refused);
            return null;
        }

        var group = new ControlGroup(_files, path, note)
        {
            LimitsMemory = profile.Memory is { } bytes && Set(path, Memory, "memory.max", Words(bytes)),
            LimitsProcesses = profile.Processes is { } most && Set(path, Processes, "pids.max", Words(profile.Sandbox ? most + OfSandbox : most)),
            LimitsCpus = profile.Cpus is { } cpus && Set(path, Cpu, "cpu.max", $"{Words((long)Math.Ceiling(cpus * CpuPeriod))} {Words(CpuPeriod)}"),
        };
        // What would be swapped out is over the limit all the same; a kernel that does not count swap has no such file.
        if (group.LimitsMemory)
            _files.Write($"{path}/memory.swap.max", "0");
        return group;
    }

    /// <summary>Whether a process is in a program's group, or has been until its end.</summary>
    public static bool IsOfProgram(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cgroup").Contains("/" + ProgramPrefix, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Words(long number) => number.ToString(CultureInfo.InvariantCulture);

    private bool Set(string path, string controller, string file, string value)
    {
        if (!_controllers.Contains(controller, StringComparer.Ordinal))
            return false;
        var refused = _files.Write($"{path}/{file}", value);
        if (refused is not null)
            Log.NotMade(_logger, $"{path}/{file}", refused);
        return refused is null;
    }

    /// <summary>Does it.</summary>
    /// <returns>Why it cannot be done; null where it is.</returns>
    private string? TryPrepare()
    {
        if (OwnGroup.Find(_files) is not { } own)
            return "this system shows no control groups of version 2";

        // The server that started this one, or another of the same service, has moved already; or systemd has started it there (DelegateSubgroup=).
        if (own.EndsWith("/" + ServerGroup, StringComparison.Ordinal))
            return Enable(own[..^(ServerGroup.Length + 1)]);
        if (Wanted(_files.Read($"{own}/cgroup.controllers")).Length == 0)
            return $"{own} is given none of the controllers {All}";

        // The tree's root has no rule about processes, and no file that tells its type.
        return _files.Read($"{own}/cgroup.type") is null ? Enable(own) : MoveAndEnable(own);
    }

    private string? MoveAndEnable(string own)
    {
        var members = Members(own);
        if (members.Find(member => !IsOurs(member)) is > 0 and var stranger)
            return $"other programs than this one are in {own}, such as process {stranger}; a service of systemd's has a group of its own";
        var server = $"{own}/{ServerGroup}";
        var refused = _files.Make(server);
        if (refused is not null)
            return $"no group can be made in {own}: {refused}";

        // One that this process starts meanwhile, elsewhere in an application, is found the next time.
        for (var attempt = 0; members.Count > 0 && attempt < 3; attempt++, members = Members(own))
        {
            foreach (var member in members)
                refused = _files.Write($"{server}/cgroup.procs", member.ToString(CultureInfo.InvariantCulture)) ?? refused;
        }

        var trouble = members.Count > 0 ? $"this process cannot be moved to {server}: {refused}" : Enable(own);
        if (trouble is not null)
            MoveBack(own, server);
        return trouble;
    }

    private void MoveBack(string own, string server)
    {
        foreach (var member in Members(server))
            _files.Write($"{own}/cgroup.procs", member.ToString(CultureInfo.InvariantCulture));
        _files.Remove(server);
    }

    private string? Enable(string parent)
    {
        var refused = "";
        var handedOn = Wanted(_files.Read($"{parent}/cgroup.subtree_control"));
        foreach (var controller in Wanted(_files.Read($"{parent}/cgroup.controllers")).Except(handedOn, StringComparer.Ordinal))
            refused = _files.Write($"{parent}/cgroup.subtree_control", "+" + controller) ?? refused;
        return Use(parent) is { } trouble ? $"{trouble}: {refused}" : null;
    }

    private string? Use(string parent)
    {
        _controllers = Wanted(_files.Read($"{parent}/cgroup.subtree_control"));
        if (_controllers.Length == 0)
            return $"{parent} hands none of the controllers {All} on";
        _base = parent;
        return null;
    }

    private List<int> Members(string group) =>
        [.. (_files.Read($"{group}/cgroup.procs") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => int.Parse(line, CultureInfo.InvariantCulture))];

    /// <summary>Whether a process is this one, or comes from it.</summary>
    private bool IsOurs(int pid)
    {
        while (pid > 1 && pid != _pid)
            pid = _parentOf(pid) ?? 0;
        return pid == _pid;
    }

    private static string[] Wanted(string? controllers) => [.. (controllers ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Intersect([Memory, Processes, Cpu], StringComparer.Ordinal)];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Programs get control groups of their own in {Path}, with {Controllers}")]
        public static partial void Prepared(ILogger logger, string path, string controllers);

        [LoggerMessage(LogLevel.Information, "Limits hold for each process by itself, because programs get no control groups of their own: {Reason}")]
        public static partial void NotPrepared(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning, "{Path} was refused: {Reason}")]
        public static partial void NotMade(ILogger logger, string path, string reason);
    }
}
