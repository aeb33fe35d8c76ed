namespace FurtherLink.Security;

/// <summary>What is left of so many a minute, of which as many may come at once.</summary>
/// <param name="Left">How many are left; less than 1 = none.</param>
/// <param name="Since">When that was, as a time stamp of the clock.</param>
internal readonly record struct PerMinute(double Left, long Since)
{
    /// <summary>All of them.</summary>
    public static PerMinute Full(int most, TimeProvider time) => new(most, time.GetTimestamp());

    /// <summary>What is left now.</summary>
    /// <param name="most">How many come a minute.</param>
    /// <param name="time">The clock.</param>
    public PerMinute Now(int most, TimeProvider time)
    {
        var now = time.GetTimestamp();
        return new(Math.Min(most, Left + (time.GetElapsedTime(Since, now).TotalMinutes * most)), now);
    }

    /// <summary>Takes one of what is left now.</summary>
    /// <param name="most">How many come a minute.</param>
    /// <param name="time">The clock.</param>
    /// <param name="left">What is left then.</param>
    /// <returns>False where there is none.</returns>
    public bool TryTake(int most, TimeProvider time, out PerMinute left)
    {
        left = Now(most, time);
        if (left.Left < 1)
            return false;
        left = left with { Left = left.Left - 1 };
        return true;
    }

    /// <summary>How long it takes until there is one; nothing where there is.</summary>
    /// <param name="most">How many come a minute.</param>
    public TimeSpan Wait(int most) => Left >= 1 ? TimeSpan.Zero : TimeSpan.FromMinutes((1 - Left) / most);

    /// <summary>What is said of a wait: whole seconds, at least one.</summary>
    public static int Seconds(TimeSpan wait) => Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
}
