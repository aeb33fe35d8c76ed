using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>
/// What every request passes before an endpoint acts: the host it asks for, the page that sent it, and who that is. One for each application. Thread safe.
/// </summary>
/// <param name="authenticator">Tells who somebody is.</param>
/// <param name="logins">Who is logged in by a cookie.</param>
/// <param name="hosts">By which names this device goes.</param>
/// <param name="origins">Which pages may use it.</param>
/// <param name="limit">How much may be under way from one address.</param>
/// <param name="audit">Is told of pages and hosts that are refused; who shows what counts for nothing is told by who tells that.</param>
/// <param name="options">Settings of the transport.</param>
/// <param name="time">The clock.</param>
internal sealed class HttpGate(
    IAuthenticator authenticator, LoginTable logins, HostPolicy hosts, OriginPolicy origins, AddressLimit limit, AuditLog audit, IOptions<WebSocketLinkOptions> options,
    TimeProvider time)
{
    private static readonly Refusal TooManyUnknown = new(
        StatusCodes.Status429TooManyRequests, "too many connections from your address have not said yet who is there; say it with the request");

    // Where anybody may do anything, nobody may be anybody else.
    private static readonly ClaimsPrincipal Anyone = new Grant("anyone", Access.Own) { Users = [] }.ToPrincipal();

    private readonly WebSocketLinkOptions _options = options.Value;

    /// <summary>Which pages may use the device.</summary>
    public OriginPolicy Origins => origins;

    /// <summary>The application's.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public static HttpGate Of(IServiceProvider services) =>
        services.GetService<HttpGate>() ?? throw new InvalidOperationException("FurtherLink's endpoints need AddWebSockets(), on what AddFurtherLink() gives.");

    /// <summary>Looks at the host that a request asks for.</summary>
    /// <returns>Null where it is this device.</returns>
    public Refusal? CheckHost(HttpRequest request) => hosts.Allows(request.Host)
        ? null
        : new Refusal(
            StatusCodes.Status421MisdirectedRequest,
            $"\"{request.Host.Host}\" is no name that this device goes by; the setting AllowedHosts lists those beside localhost, addresses and the machine's own");

    /// <summary>Has it written down that a request was refused.</summary>
    public void Tell(HttpContext context, Refusal refusal) => audit.Write(new AuditEvent("refused") { From = LocalEnd.CallerOf(context).Address, Why = refusal.Reason });

    /// <summary>Counts a request among those of its address.</summary>
    /// <param name="context">The request.</param>
    /// <param name="refusal">Why it is not let in, where there are too many.</param>
    /// <returns>To be disposed at its end; null where there are too many.</returns>
    public AddressTicket? TryEnter(HttpContext context, out Refusal? refusal) =>
        limit.TryEnter(context.Connection.RemoteIpAddress, LocalEnd.OwnerOf(context.Connection.RemoteIpAddress, LocalEnd.SocketOf(context)), out refusal);

    /// <summary>Looks at the page that sent a request.</summary>
    /// <param name="door">What the endpoint asks for.</param>
    /// <param name="page">Which page.</param>
    /// <param name="origin">Its origin; "" where it has not said it.</param>
    /// <returns>Null where it may use the endpoint.</returns>
    public static Refusal? CheckPage(Door door, PageOrigin page, string origin) => door.IsGuarded && page is PageOrigin.Foreign
        ? new Refusal(
            StatusCodes.Status403Forbidden,
            $"pages of {(origin.Length > 0 ? origin : "other sites")} may not use this server; the settings AllowedOrigins and TrustedOrigins list those that may")
        : null;

    /// <summary>Finds out who sent a request. It is a feature (<see cref="Pass"/>) and the user of the request from then on.</summary>
    /// <param name="context">The request.</param>
    /// <param name="ticket">By what it is counted.</param>
    /// <param name="door">What the endpoint asks for.</param>
    /// <param name="page">Which page sent it.</param>
    /// <returns>Null where it is let through.</returns>
    public async ValueTask<Refusal?> IdentifyAsync(HttpContext context, AddressTicket ticket, Door door, PageOrigin page)
    {
        if (!_options.LegacyOpen && RequestCredentials.AreInQuery(context.Request))
        {
            return new Refusal(
                StatusCodes.Status400BadRequest,
                "a token never stands in an address, which logs and histories keep: send it as \"Authorization: Bearer TOKEN\", as the WebSocket's subprotocol "
                    + "\"furtherlink.token.TOKEN\" beside \"furtherlink\", or log in by POST /login");
        }

        // Who hands in credentials, and takes his time over it, is unknown as well.
        if (!door.Identifies)
            return door.IsGuarded && !ticket.TryStayUnknown() ? TooManyUnknown : null;
        try
        {
            var caller = LocalEnd.CallerOf(context);
            var principal = await FindAsync(context, caller, door, page).ConfigureAwait(false);
            var pass = new Pass(Rights.Of(principal) is Access.None ? null : principal, caller, ticket);
            if (pass.Grant.Ended.IsCancellationRequested)
                throw new LinkException(FailureCode.Unauthenticated, "what you have shown counts no more");
            if (door.Needed is not Access.None)
                pass.Grant.Demand(door.Needed);
            if (pass.Principal is null && !ticket.TryStayUnknown())
                return TooManyUnknown;
            context.Features.Set(pass);
            if (pass.Principal is not null)
                context.User = pass.Principal;
            return null;
        }
        catch (LinkException fault)
        {
            return Refusal.Of(fault);
        }
    }

    private async ValueTask<ClaimsPrincipal?> FindAsync(HttpContext context, Caller caller, Door door, PageOrigin page)
    {
        // The application around knows already.
        if (context.User.HasClaim(static claim => claim.Type == Rights.ClaimType))
            return context.User;
        if (RequestCredentials.Read(context.Request) is { } credentials)
            return await authenticator.AuthenticateAsync(credentials, caller, context.RequestAborted).ConfigureAwait(false);
        if (context.Request.Cookies[LoginEndpoints.Cookie] is { } id)
            return logins.Find(id, LocalEnd.OwnerOf(context)) ?? throw Forgotten(context);
        if (_options.LegacyOpen)
            return Anyone;
        if (!_options.LoopbackAccess || !caller.IsLocal || page is not (PageOrigin.None or PageOrigin.Trusted) || !HostPolicy.IsLoopback(context.Request)
            || LocalEnd.OwnerOf(context) is not { } uid)
        {
            return null;
        }

        try
        {
            return await authenticator.AuthenticateAsync(new LocalCredentials(uid), caller, context.RequestAborted).ConfigureAwait(false);
        }
        catch (LinkException fault) when (fault.Code is FailureCode.Denied && door.Needed is Access.None)
        {
            // A user who may do nothing by that may still have a token to show.
            return null;
        }
    }

    /// <summary>Ends a request that has been let through when what was shown for it counts no more.</summary>
    /// <returns>To be disposed at the end of the request.</returns>
    public GrantEnd EndWithGrant(HttpContext context) => new(context, time);

    private static LinkException Forgotten(HttpContext context)
    {
        LoginEndpoints.Clear(context.Response);
        return new LinkException(FailureCode.Unauthenticated, "you are logged out; log in again by POST /login");
    }
}
