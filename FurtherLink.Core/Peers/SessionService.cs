using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Peers;

/// <summary>
/// The calls about sessions: "sessions.list" gives a list of <see cref="SessionInfo"/>; "sessions.request", "sessions.grant" (its body the
/// other's <see cref="MemberInfo.Id"/>, an int) and "sessions.take" change who drives the session that the call names. They answer with nothing;
/// everybody attached hears of a change by the notice "presence".
/// </summary>
/// <param name="sessions">The device's sessions.</param>
internal sealed class SessionService(SessionTable sessions) : IService
{
    /// <inheritdoc/>
    public string Name => "sessions";

    /// <inheritdoc/>
    public Access Needs(Call call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return call.Name switch
        {
            "sessions.take" => Access.Own,
            "sessions.request" or "sessions.grant" => Access.Drive,
            _ => Access.View,
        };
    }

    /// <inheritdoc/>
    public ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        if (call.Name == "sessions.list")
            return new ValueTask<object?>(sessions.Sessions.Select(session => session.Info).Where(peer.Grant.Sees).OrderBy(info => info.Created).ToList());
        var name = call.Session ?? "";
        var attachment = peer.Find(name) ?? throw new LinkException(FailureCode.NotFound, $"there is no process \"{name}\"");
        switch (call.Name)
        {
            case "sessions.request":
                attachment.Request();
                break;
            case "sessions.grant" when call.Body is int member:
                peer.Demand(Access.Drive, attachment);
                attachment.Grant(member);
                break;
            case "sessions.take":
                attachment.Take();
                break;
            default:
                throw new LinkException(FailureCode.NotSupported, $"there is no \"{call.Name}\" here");
        }

        return new ValueTask<object?>((object?)null);
    }
}
