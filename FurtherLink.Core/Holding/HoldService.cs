using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Sessions;

namespace FurtherLink.Holding;

/// <summary>What the holder does beside running sessions: tells what it holds, and lets go of what is not wanted any more.</summary>
/// <param name="sessions">Its sessions.</param>
internal sealed class HoldService(SessionTable sessions) : IService
{
    /// <summary>Gives a list of <see cref="HeldState"/>.</summary>
    public const string ListCall = "held.list";

    /// <summary>Ends and forgets the session whose id is the body.</summary>
    public const string RemoveCall = "held.remove";

    /// <inheritdoc/>
    public string Name => "held";

    /// <inheritdoc/>
    public Access Needs(Call call) => Access.Own;

    /// <inheritdoc/>
    public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (call is { Name: RemoveCall, Body: string id })
            await sessions.RemoveAsync(id).ConfigureAwait(false);
        else if (call.Name == ListCall)
            return sessions.Sessions.OfType<IKeptSession>().Select(Describe).ToList();
        return null;
    }

    private static HeldState Describe(IKeptSession session)
    {
        long shown = 0;
        var screen = session.Screen?.Capture(offset => shown = offset).ToArray();
        return new HeldState(session.Info, session.Options)
        {
            Screen = screen,
            ScreenOffset = shown,
            Start = session.Output.Start,
            Inputs = session.Members.LastInputs(),
            Events = [.. session.Notices.KeptFrom(0, out _).Select(one => new HeldEvent(one.Offset, one.Time) { Size = one.Body as TerminalSize?, Typed = one.Body as byte[] })],
        };
    }
}
