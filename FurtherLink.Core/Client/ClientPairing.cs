using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>Pairs clients with devices: both sides of the exchange of a code for a token. Thread safe.</summary>
public static class ClientPairing
{
    private const int MaxMessage = 128 * 1024;

    /// <summary>Exchanges the code that a device shows for a token of its own.</summary>
    /// <param name="connector">The way to the device; one that others can read along is refused.</param>
    /// <param name="code">The code, as the person has read it.</param>
    /// <param name="name">What the device is to call the token: who gets it ("phone").</param>
    /// <param name="cancellationToken">Gives up; the code may be used up.</param>
    /// <returns>The token, to be kept where nobody else can read it: the device does not say it again.</returns>
    /// <exception cref="LinkConnectException">The device cannot be reached, or what answers is none.</exception>
    /// <exception cref="LinkException">It refuses; the message says why.</exception>
    public static async Task<PairAnswer> PairAsync(ILinkConnector connector, string code, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connector);
        if (!connector.IsPrivate)
            throw LinkConnectException.NotPrivate(connector.Target);
        var requests = new PendingRequests();
        var link = await connector.ConnectAsync(MaxMessage, cancellationToken).ConfigureAwait(false);
        var wire = new ClientWire(link, MaxMessage, message =>
        {
            if (message is Failed { Ref: { } reference } failed)
                requests.Fail(reference, new LinkException(failed.Code, failed.Detail));
            else
                requests.Answer(message);
        });
        wire.Start();
        await using (wire.ConfigureAwait(false))
        {
            var call = new Call("pairing.pair", new PairRequest(code, name));
            var answer = requests.WaitAsync(call, requests.Add(call), cancellationToken);
            wire.Post(call);
            if (await Task.WhenAny(answer, wire.Ended).ConfigureAwait(false) != answer)
            {
                requests.Fail(new LinkConnectException($"{connector.Target} has ended the connection: {await wire.Ended.ConfigureAwait(false)}"));
            }

            return await answer.ConfigureAwait(false) is Result { Body: PairAnswer paired }
                ? paired
                : throw new LinkConnectException($"{connector.Target} is no FurtherLink server that can be paired with") { IsFinal = true };
        }
    }

    /// <summary>Has the device show a code, for which one other client gets a token. Only root and the user whose server it is may, from the device itself.</summary>
    /// <param name="client">A connection by the device's Unix socket, or over loopback.</param>
    /// <param name="terms">What the token will allow.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkException">It refuses, or the connection has ended.</exception>
    public static async Task<PairingOpened> OpenPairingAsync(this FurtherLinkClient client, TokenTerms terms, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return await client.AskAsync(new Call("pairing.open", terms), cancellationToken).ConfigureAwait(false) is Result { Body: PairingOpened opened }
            ? opened
            : throw NoAnswer(client);
    }

    /// <summary>Waits until the pairing is over that this client has opened last; it is also over when this client goes.</summary>
    /// <exception cref="LinkException">It has opened none, or the connection has ended.</exception>
    public static async Task<PairingOver> WaitForPairingAsync(this FurtherLinkClient client, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return await client.AskAsync(new Call("pairing.wait", null), cancellationToken).ConfigureAwait(false) is Result { Body: PairingOver over }
            ? over
            : throw NoAnswer(client);
    }

    private static LinkConnectException NoAnswer(FurtherLinkClient client) => new($"{client.Target} has not answered what it was asked");
}
