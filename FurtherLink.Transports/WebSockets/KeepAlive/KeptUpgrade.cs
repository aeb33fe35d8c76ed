using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FurtherLink.Transports.WebSockets.KeepAlive;

/// <summary>Turns a request into a connection as the server does, and has the connection watched: by an upgrade, or over HTTP/2 by CONNECT.</summary>
/// <param name="context">The request.</param>
/// <param name="upgrade">The server's; null = it cannot.</param>
/// <param name="connect">The server's; null = it cannot.</param>
/// <param name="patrol">Watches.</param>
internal sealed class KeptUpgrade(HttpContext context, IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect, KeepAlivePatrol patrol)
    : IHttpUpgradeFeature, IHttpExtendedConnectFeature
{
    /// <inheritdoc/>
    public bool IsUpgradableRequest => upgrade?.IsUpgradableRequest == true;

    /// <inheritdoc/>
    public bool IsExtendedConnect => connect?.IsExtendedConnect == true;

    /// <inheritdoc/>
    public string? Protocol => connect?.Protocol;

    /// <summary>Puts itself in the place of what the server offers, where that is anything.</summary>
    /// <param name="context">The request.</param>
    /// <param name="patrol">Watches what becomes of it.</param>
    public static void Offer(HttpContext context, KeepAlivePatrol patrol)
    {
        var upgrade = context.Features.Get<IHttpUpgradeFeature>();
        var connect = context.Features.Get<IHttpExtendedConnectFeature>();
        if (upgrade?.IsUpgradableRequest == true)
            context.Features.Set<IHttpUpgradeFeature>(new KeptUpgrade(context, upgrade, connect, patrol));
        else if (connect?.IsExtendedConnect == true)
            context.Features.Set<IHttpExtendedConnectFeature>(new KeptUpgrade(context, upgrade, connect, patrol));
    }

    /// <inheritdoc/>
    public async Task<Stream> UpgradeAsync() => Keep(await upgrade!.UpgradeAsync().ConfigureAwait(false));

    /// <inheritdoc/>
    public async ValueTask<Stream> AcceptAsync() => Keep(await connect!.AcceptAsync().ConfigureAwait(false));

    private KeptStream Keep(Stream stream)
    {
        var kept = new KeptStream(stream, context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>(), patrol);

        // The request is another's afterwards, and must not be cut then.
        context.Response.RegisterForDispose(kept);
        patrol.Add(kept);
        return kept;
    }
}
