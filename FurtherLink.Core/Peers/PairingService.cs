using System.Runtime.CompilerServices;
using System.Text.Json;
using FurtherLink.Messages;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Pairing;

namespace FurtherLink.Peers;

/// <summary>
/// The calls of "pairing": "pairing.pair", which anybody may make, its body a <see cref="PairRequest"/>, gives a <see cref="PairAnswer"/>. Root and the user
/// whose server this is may make "pairing.open", its body <see cref="TokenTerms"/>, which gives a <see cref="PairingOpened"/>; "pairing.wait" answers with a
/// <see cref="PairingOver"/> when the window that the client has opened last is over, which it also is when the client goes.
/// </summary>
/// <param name="desk">Pairs.</param>
/// <param name="audit">Is told who opens windows, and how they end.</param>
internal sealed class PairingService(PairingDesk desk, AuditLog audit) : IService
{
    private readonly ConditionalWeakTable<Peer, PairingWindow> _opened = [];

    /// <inheritdoc/>
    public string Name => "pairing";

    /// <inheritdoc/>
    public Access Needs(Call call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return call.Name == "pairing.pair" ? Access.None : Access.Own;
    }

    /// <inheritdoc/>
    public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        switch (call)
        {
            case { Name: "pairing.pair", Body: PairRequest request }:
                var token = await desk.PairAsync(request.Code, request.Name, peer.Caller, cancellationToken).ConfigureAwait(false);
                return new PairAnswer(token.Text, token.Info.Name, token.Info.Access);
            case { Name: "pairing.open", Body: TokenTerms terms }:
                return Open(terms, peer);
            case { Name: "pairing.wait" } when _opened.TryGetValue(peer, out var window):
                var outcome = await window.Outcome.WaitAsync(cancellationToken).ConfigureAwait(false);
                return new PairingOver(NameOf(outcome), outcome.Token?.Name);
            case { Name: "pairing.wait" }:
                throw new LinkException(FailureCode.NotFound, "this client has opened no pairing");
            default:
                throw new LinkException(FailureCode.NotSupported, $"there is no call {call.Name}");
        }
    }

    private async Task TellAsync(PairingWindow window, AuditEvent opener)
    {
        var outcome = await window.Outcome.ConfigureAwait(false);
        audit.Write(opener with { What = "pairingOver", Access = null, End = NameOf(outcome), Token = outcome.Token?.Name });
    }

    private static string NameOf(PairingOutcome outcome) => JsonNamingPolicy.CamelCase.ConvertName(outcome.End.ToString());

    private PairingOpened Open(TokenTerms terms, Peer peer)
    {
        if (!peer.Grant.IsOwner || !peer.Caller.IsLocal)
            throw new LinkException(FailureCode.Denied, "only root, and the user whose server this is, lets others in, on the device itself");
        var window = desk.Open(terms);
        _opened.AddOrUpdate(peer, window);
        var opener = AuditEvent.Of("pairingOpened", peer.Grant, peer.Caller) with { Connection = peer.ConnectionId, Access = terms.Access };
        audit.Write(opener);
        _ = TellAsync(window, opener);
        // Nobody waits for what it is good for any more.
        peer.Gone.UnsafeRegister(static window => ((PairingWindow)window!).Close(), window);
        return new PairingOpened(window.Code, window.Ends);
    }
}
