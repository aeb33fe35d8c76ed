namespace FurtherLink.Transports.Portacode.Codec;

/// <summary>Who asked for something, and what it wants back on the answer.</summary>
/// <param name="Client">The client session; null = none was named.</param>
/// <param name="UsesReplyChannel">Whether it was named as "reply_channel".</param>
/// <param name="RequestId">The request's own id as JSON; null = none.</param>
internal sealed record Asker(string? Client, bool UsesReplyChannel, string? RequestId)
{
    /// <summary>As <see cref="Messages.ClientMessage.Ref"/> carries it, beside the client.</summary>
    public string ToReference() => (UsesReplyChannel ? "r" : "-") + RequestId;

    /// <summary>From a message's client and reference.</summary>
    public static Asker Of(string? client, string? reference) =>
        new(client, reference is ['r', ..], reference is { Length: > 1 } ? reference[1..] : null);
}
