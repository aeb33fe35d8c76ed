using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Transports.Portacode.Bandwidth;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Transports.Portacode;

/// <summary>The answers to one request: short ones overtake all output, long ones take turns with it and heed the limits.</summary>
/// <param name="gateway">The gateway.</param>
/// <param name="peer">The connection that asked.</param>
/// <param name="call">The action.</param>
/// <param name="client">The client that asked.</param>
/// <param name="reference">What it wants back.</param>
internal sealed class Replies(Gateway gateway, Peer peer, string call, string? client, string? reference) : IReplies
{
    /// <inheritdoc/>
    public async ValueTask SendAsync(PortacodeEvent answer)
    {
        var message = new Result(call, answer) { Client = client, Ref = reference };
        if (!answer.IsLong)
        {
            peer.Post(message);
            return;
        }

        await WaitAsync(gateway.FileLimit).ConfigureAwait(false);
        await WaitAsync(client is null ? null : gateway.Bandwidth.Of(client)?.Bucket).ConfigureAwait(false);
        await peer.SendAsync(message).ConfigureAwait(false);
        gateway.FileLimit?.Take(answer.Fields.Sum(static field => field.Value is System.Text.Json.Nodes.JsonValue value && value.TryGetValue<string>(out var text) ? text.Length : 16L));
    }

    private async ValueTask WaitAsync(TokenBucket? bucket)
    {
        while (bucket?.Wait is { } wait && wait > TimeSpan.Zero)
        {
            TrafficMetrics.Throttled("file");
            await Task.Delay(wait, gateway.Time, peer.Gone).ConfigureAwait(false);
        }
    }
}
