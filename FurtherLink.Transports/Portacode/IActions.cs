using System.Collections.Frozen;

namespace FurtherLink.Transports.Portacode;

/// <summary>Carries out one action: sends one answer or several, in order, or throws <see cref="Messages.LinkException"/>, which becomes an "error".</summary>
/// <param name="request">What is asked.</param>
/// <param name="replies">Where answers go.</param>
/// <param name="cancellationToken">Cancelled when the gateway goes.</param>
internal delegate ValueTask ActionHandler(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken);

/// <summary>Some of the actions that a gateway may ask for. One object for all gateways; thread safe.</summary>
internal interface IActions
{
    /// <summary>The actions by name.</summary>
    FrozenDictionary<string, ActionHandler> Handlers { get; }
}

/// <summary>Where the answers to one request go: to who asked, with what it wants back.</summary>
internal interface IReplies
{
    /// <summary>Sends an answer. It completes when the connection has taken it: who has much to say waits for that before the next piece.</summary>
    /// <exception cref="OperationCanceledException">The gateway has gone.</exception>
    ValueTask SendAsync(PortacodeEvent answer);
}
