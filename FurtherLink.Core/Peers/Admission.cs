using System.Globalization;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Sessions;

namespace FurtherLink.Peers;

/// <summary>
/// Decides whether one more program may be started: how many somebody has, how fast they come, and what all of them keep of output. One for all
/// connections; thread safe.
/// </summary>
/// <param name="sessions">The device's sessions.</param>
/// <param name="options">The core's settings.</param>
/// <param name="time">The clock.</param>
internal sealed class Admission(SessionTable sessions, LinkOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _mostOutput = options.MaxOutput ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
    private readonly Dictionary<string, int> _starting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PerMinute> _rates = new(StringComparer.Ordinal);

    /// <summary>Takes a place for a program that is being started; disposing the result gives it back, when the program is in the table or is none.</summary>
    /// <exception cref="LinkException"><see cref="FailureCode.Limited"/>, with the limit in words.</exception>
    public IDisposable Take(Grant grant, Caller caller)
    {
        lock (_lock)
        {
            DemandPlace(grant.Id);
            if (!caller.IsLocal)
                DemandPace(grant.Id);
            DemandOutput();
            _starting[grant.Id] = _starting.GetValueOrDefault(grant.Id) + 1;
            return new Place(this, grant.Id);
        }
    }

    private void DemandPlace(string owner)
    {
        var running = _starting.GetValueOrDefault(owner) + sessions.CountRunning(owner);
        if (running >= options.MaxSessions)
            throw new LinkException(FailureCode.Limited, string.Create(CultureInfo.InvariantCulture, $"{options.MaxSessions} programs run already, as many as one client may have: stop one first"));
    }

    private void DemandPace(string owner)
    {
        if (options.StartsPerMinute == 0)
            return;
        var most = options.StartsPerMinute;
        var known = _rates.TryGetValue(owner, out var rate) ? rate : PerMinute.Full(most, time);
        if (!known.TryTake(most, time, out var left))
        {
            var wait = left.Wait(most);
            throw new LinkException(FailureCode.Limited, string.Create(CultureInfo.InvariantCulture, $"{most} programs a minute may be started: wait {PerMinute.Seconds(wait)} s")) { RetryAfter = wait };
        }

        _rates[owner] = left;
        foreach (var (other, _) in _rates.Where(pair => pair.Value.Now(most, time).Left >= most).ToList())
            _rates.Remove(other);
    }

    private void DemandOutput()
    {
        if (!sessions.KeepOutputBelow(_mostOutput))
            throw new LinkException(FailureCode.Limited, string.Create(CultureInfo.InvariantCulture, $"programs keep {_mostOutput} bytes of output already, as many as they may together: stop one first"));
    }

    private void GiveBack(string owner)
    {
        lock (_lock)
        {
            if (--_starting[owner] == 0)
                _starting.Remove(owner);
        }
    }

    private sealed class Place(Admission admission, string owner) : IDisposable
    {
        private int _given;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _given, 1) == 0)
                admission.GiveBack(owner);
        }
    }
}
