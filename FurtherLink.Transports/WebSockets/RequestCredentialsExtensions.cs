using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Tells an application that identifies connections, by certificates for example, when a request speaks for itself.</summary>
public static class RequestCredentialsExtensions
{
    /// <summary>
    /// Whether a request shows credentials of its own that FurtherLink knows: Authorization, a subprotocol with a token, or the cookie of a login. They
    /// count before what its connection shows, right or wrong: leave the request's user as it is then.
    /// </summary>
    /// <param name="request">The request.</param>
    public static bool ShowsCredentials(this HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return RequestCredentials.AreShown(request);
    }
}
