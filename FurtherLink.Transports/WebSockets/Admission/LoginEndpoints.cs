using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Gives a browser a cookie for credentials, and takes it back: /login and /logout.</summary>
/// <param name="authenticator">Tells who it is.</param>
/// <param name="logins">Who is logged in.</param>
/// <param name="audit">Is told who has logged in.</param>
/// <param name="options">Settings of the transport.</param>
internal sealed class LoginEndpoints(IAuthenticator authenticator, LoginTable logins, AuditLog audit, IOptions<WebSocketLinkOptions> options)
{
    /// <summary>The cookie's name; browsers take one of this prefix only from this very host, by TLS or on loopback (RFC 6265bis, section 4.1.3.2).</summary>
    public const string Cookie = "__Host-furtherlink";

    private const string Form = """{"token": TEXT} or {"user": TEXT, "password": TEXT}""";

    /// <summary>Logs in.</summary>
    public async Task LoginAsync(HttpContext context)
    {
        var credentials = Read(await HttpBody.ReadTextsAsync(context, Form).ConfigureAwait(false));
        var principal = await authenticator.AuthenticateAsync(credentials, LocalEnd.CallerOf(context), context.RequestAborted).ConfigureAwait(false);
        var grant = Grant.Of(principal);
        grant.Demand(Access.View);
        var lifetime = options.Value.LoginLifetime;
        context.Response.Cookies.Append(Cookie, logins.Begin(principal, lifetime, LocalEnd.OwnerOf(context)), Attributes(lifetime));
        audit.Write(AuditEvent.Of("authenticated", grant, LocalEnd.CallerOf(context)) with { Access = grant.Access });
        await HttpAnswers.JsonAsync(context, writer =>
        {
            writer.WriteString("name", grant.Name);
            writer.WriteString("access", grant.Access.ToString().ToLowerInvariant());
        }).ConfigureAwait(false);
    }

    /// <summary>Logs out; what has been opened by the cookie ends.</summary>
    public Task LogoutAsync(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is { } id)
            logins.End(id, LocalEnd.OwnerOf(context));
        Clear(context.Response);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>Has the browser throw its cookie away.</summary>
    public static void Clear(HttpResponse response) => response.Cookies.Append(Cookie, "", Attributes(TimeSpan.Zero));

    private static CookieOptions Attributes(TimeSpan lifetime) =>
        new() { Path = "/", Secure = true, HttpOnly = true, SameSite = SameSiteMode.Strict, MaxAge = lifetime };

    private static Credentials Read(IReadOnlyDictionary<string, string> texts) =>
        (texts.GetValueOrDefault("token"), texts.GetValueOrDefault("user"), texts.GetValueOrDefault("password")) switch
        {
            ({ } token, null, null) => new TokenCredentials(token),
            (null, { } user, { } password) => new PasswordCredentials(user, password),
            _ => throw HttpBody.Mistake(Form),
        };
}
