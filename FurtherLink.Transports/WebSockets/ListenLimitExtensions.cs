using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Bounds what Kestrel accepts before anything is asked for.</summary>
public static class ListenLimitExtensions
{
    /// <summary>
    /// Cuts connections of an address that has ten more open than MaxConnections allows it to use, and those above MaxTotalConnections and ten; endpoints refuse those above that in words. To be called
    /// before UseHttps. Needs what AddWebSockets registers.
    /// </summary>
    /// <param name="listen">Where it listens.</param>
    /// <returns>The same.</returns>
    public static ListenOptions UseFurtherLinkLimit(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var limit = listen.ApplicationServices.GetRequiredService<ConnectionLimit>();
        listen.Use(next => connection => limit.RunAsync(connection, next));
        return listen;
    }
}
