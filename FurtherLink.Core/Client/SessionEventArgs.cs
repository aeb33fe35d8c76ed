using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>Something happened beside a session's output.</summary>
/// <param name="notice">What.</param>
public sealed class NoticeEventArgs(Notice notice) : EventArgs
{
    /// <summary>What; see <see cref="ClientSession.Noticed"/>.</summary>
    public Notice Notice { get; } = notice;
}

/// <summary>A part of a session's output will never come.</summary>
/// <param name="from">The first offset missed.</param>
/// <param name="to">The offset at which output goes on.</param>
public sealed class MissedEventArgs(long from, long to) : EventArgs
{
    /// <summary>The first offset missed, in bytes since the session's start.</summary>
    public long From { get; } = from;

    /// <summary>The offset at which output goes on.</summary>
    public long To { get; } = to;
}
