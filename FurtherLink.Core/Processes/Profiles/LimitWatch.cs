using System.Runtime.Versioning;
using FurtherLink.Processes.ControlGroups;

namespace FurtherLink.Processes.Profiles;

/// <summary>Watches over what a program's time may be, by the server's own clock. Disposing ends the watch.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LimitWatch : IDisposable
{
    // How often it is looked at how much processor time a control group has used: it can be over its limit by as much, on each processor.
    private static readonly TimeSpan CpuInterval = TimeSpan.FromSeconds(0.25);

    private readonly RunProfile _profile;
    private readonly ControlGroup? _group;
    private readonly Action _over;
    private readonly List<ITimer> _timers = [];
    private string? _reason;

    private LimitWatch(RunProfile profile, ControlGroup? group, Action over)
    {
        _profile = profile;
        _group = group;
        _over = over;
    }

    /// <summary>Which limit the program has gone over, in words; null = none.</summary>
    public string? Reason => Volatile.Read(ref _reason);

    /// <summary>Begins to watch.</summary>
    /// <param name="profile">The limits.</param>
    /// <param name="group">The program's control group; null = none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="over">Called once where a limit is passed; it does not wait.</param>
    public static LimitWatch Start(RunProfile profile, ControlGroup? group, TimeProvider time, Action over)
    {
        var watch = new LimitWatch(profile, group, over);
        if (profile.WallTime is { } most)
            watch._timers.Add(time.CreateTimer(static state => ((LimitWatch)state!).OnWallTime(), watch, most, Timeout.InfiniteTimeSpan));
        if (profile.CpuTime is not null && group is not null)
            watch._timers.Add(time.CreateTimer(static state => ((LimitWatch)state!).LookAtCpuTime(), watch, CpuInterval, CpuInterval));
        return watch;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var timer in _timers)
            timer.Dispose();
    }

    private void OnWallTime() => End(ExitReasons.WallTime(_profile));

    private void LookAtCpuTime()
    {
        if (_group!.CpuTime >= _profile.CpuTime)
            End(ExitReasons.CpuTime(_profile));
    }

    private void End(string reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is null)
            _over();
    }
}
