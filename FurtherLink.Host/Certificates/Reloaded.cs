using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>
/// What files say, read again when they are replaced; where that fails, what they said before stays, and it is told once. Thread safe.
/// </summary>
/// <typeparam name="T">What is read.</typeparam>
/// <param name="first">What they said at the start.</param>
/// <param name="interval">How long they may have been replaced before somebody who asks notices: no more often are they looked at.</param>
/// <param name="clock">The clock.</param>
internal sealed class Reloaded<T>(T first, TimeSpan interval, TimeProvider clock)
    where T : class
{
    private readonly Lock _lock = new();
    private T _current = first;
    private long _readAt = clock.GetTimestamp();

    /// <summary>Reads them: gives what it is told where they say the same. Fails with a <see cref="SettingException"/>.</summary>
    public required Func<T, T> Read { get; init; }

    /// <summary>Is told of what has been replaced.</summary>
    public required Action<T> Replaced { get; init; }

    /// <summary>Is told why what was before stays.</summary>
    public required Action<string> Kept { get; init; }

    /// <summary>Is told what there is to say of what counts; asked each time, told once.</summary>
    public (Func<T, string?> Find, Action<string> Tell) Doubt { get; init; } = (static _ => null, static _ => { });

    /// <summary>What was said last.</summary>
    public string? Said { get; set; }

    /// <summary>What counts.</summary>
    public T Current
    {
        get
        {
            lock (_lock)
            {
                if (clock.GetElapsedTime(_readAt) >= interval)
                    Look();
                return _current;
            }
        }
    }

    private void Look()
    {
        _readAt = clock.GetTimestamp();
        try
        {
            var next = Read(_current);
            if (!ReferenceEquals(next, _current))
                Replaced(next);
            _current = next;
            Say(Doubt.Find(next), Doubt.Tell);
        }
        catch (SettingException e)
        {
            Say(e.Message, Kept);
        }
    }

    // Once, not each second.
    private void Say(string? words, Action<string> tell)
    {
        if (words is not null && words != Said)
            tell(words);
        Said = words;
    }
}
