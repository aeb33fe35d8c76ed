using FurtherLink.Messages;
using FurtherLink.Security.Auditing;

namespace FurtherLink.Sessions;

/// <summary>Tells the audit log who has started which program, and how it has ended. Thread safe.</summary>
/// <param name="audit">The log.</param>
internal sealed class SessionAudit(AuditLog audit)
{
    private readonly TaskSet _followed = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A program has been started.</summary>
    /// <param name="session">Its session.</param>
    /// <param name="starter">Who has; null = only the session's owner is known.</param>
    public void Started(ISession session, Starter? starter)
    {
        audit.Write(Event("started", session.Info, starter));
        Follow(session, starter);
    }

    /// <summary>Tells later how a program has ended.</summary>
    public void Follow(ISession session, Starter? starter) => _followed.Add(FollowAsync(session, starter));

    /// <summary>Completes when all ends are told that there have been; of others nothing is told any more.</summary>
    public Task LeaveAsync()
    {
        _left.TrySetResult();
        return _followed.WhenEmptyAsync();
    }

    private async Task FollowAsync(ISession session, Starter? starter)
    {
        await Task.WhenAny(session.Exited, _left.Task).ConfigureAwait(false);
        if (!session.Exited.IsCompletedSuccessfully)
            return;
        var status = await session.Exited.ConfigureAwait(false);
        audit.Write(Event("ended", session.Info, starter) with { End = Describe(status) });
    }

    private static AuditEvent Event(string what, SessionInfo info, Starter? starter) => new(what)
    {
        Who = starter?.Name,
        Id = starter?.Id ?? (info.Owner.Length > 0 ? info.Owner : "application"),
        From = starter?.Address,
        Connection = starter?.Connection,
        Session = info.Id,
        Runner = info.Runner,
        User = info.User,
    };

    private static string Describe(ExitStatus status)
    {
        var end = status.Signal is { } signal ? $"signal {signal}" : $"exit code {status.Code}";
        return status.Reason is { } reason ? $"{end}, {reason}" : end;
    }
}
