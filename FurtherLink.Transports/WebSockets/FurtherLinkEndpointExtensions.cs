using FurtherLink;
using FurtherLink.Device;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Pairing;
using FurtherLink.Sessions;
using FurtherLink.Transports.WebSockets;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds FurtherLink's endpoints to any ASP.NET Core app.</summary>
public static class FurtherLinkEndpointExtensions
{
    /// <summary>
    /// Maps /run and /run-py (WebSocket), /status, /version, /version/apt/{pkg} and /upload, as Further-Link's clients know them, and
    /// /recordings/{session}, /login, /logout and /pair. Needs what AddFurtherLink and AddWebSockets register.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <returns>Conventions of all these endpoints: RequireAuthorization and the like.</returns>
    public static IEndpointConventionBuilder MapFurtherLink(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var options = services.GetRequiredService<IOptions<WebSocketLinkOptions>>();
        var audit = services.GetRequiredService<AuditLog>();
        var device = new DeviceEndpoints(services.GetRequiredService<FileStore>(), services.GetRequiredService<DebianPackages>(), audit, options);
        var map = new EndpointMap(endpoints);
        map.Add("/run", HttpMethods.Get, Door.Socket, map.Socket(Run(services, "further")));
        map.Add("/run-py", HttpMethods.Get, Door.Socket, map.Socket(Run(services, "run-py")));
        map.Add("/status", HttpMethods.Get, Door.Open, device.StatusAsync);
        map.Add("/version", HttpMethods.Get, Door.Open, DeviceEndpoints.VersionAsync);
        map.Add("/version/apt/{pkg}", HttpMethods.Get, Door.For(Access.View), device.AptVersionAsync);
        map.Add("/upload", HttpMethods.Post, Door.For(Access.Drive), device.UploadAsync);
        map.Add("/recordings/{session}", HttpMethods.Get, Door.For(Access.View), new RecordingEndpoint(services.GetRequiredService<SessionTable>()).InvokeAsync);
        var login = new LoginEndpoints(services.GetRequiredService<IAuthenticator>(), services.GetRequiredService<LoginTable>(), audit, options);
        map.Add("/login", HttpMethods.Post, Door.Entry, login.LoginAsync);
        map.Add("/logout", HttpMethods.Post, Door.Entry, login.LogoutAsync);
        map.Add("/pair", HttpMethods.Post, Door.Entry, new PairEndpoint(services.GetRequiredService<PairingDesk>()).InvokeAsync);
        return map.Conventions;
    }

    /// <summary>
    /// Maps an address of WebSockets that speak a dialect of another package, with the checks of FurtherLink's own: pages of foreign origins
    /// are refused, and so is whoever is not known. Needs what AddFurtherLink and AddWebSockets register.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <param name="pattern">The path ("/portacode").</param>
    /// <param name="serve">Accepts a WebSocket and serves it to its end (<see cref="WebSocketPump.ServeAsync"/>).</param>
    /// <returns>Conventions of the endpoint: RequireAuthorization and the like.</returns>
    public static IEndpointConventionBuilder MapWebSocket(this IEndpointRouteBuilder endpoints, string pattern, Func<WebSocketVisit, Task> serve)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(serve);
        var map = new EndpointMap(endpoints);
        map.Add(pattern, HttpMethods.Get, Door.For(Access.View), map.Socket(serve));
        return map.Conventions;
    }

    /// <summary>
    /// Maps an address of WebSockets that speak a dialect added by <see cref="LinkBuilder.AddCodec"/>, one message of it a message of the socket;
    /// the query is that of /run. Checks, and needs, the same as the other MapWebSocket.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <param name="pattern">The path ("/shout").</param>
    /// <param name="codec">The dialect's name.</param>
    /// <returns>Conventions of the endpoint: RequireAuthorization and the like.</returns>
    public static IEndpointConventionBuilder MapWebSocket(this IEndpointRouteBuilder endpoints, string pattern, string codec)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.MapWebSocket(pattern, Run(endpoints.ServiceProvider, codec));
    }

    /// <summary>
    /// Maps an address that answers GET, with the checks of FurtherLink's own: pages of foreign origins are refused, and so is who has less than a
    /// right. Needs what AddFurtherLink and AddWebSockets register.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <param name="pattern">The path ("/metrics").</param>
    /// <param name="needed">The right that a request's user needs.</param>
    /// <param name="answer">Answers what remains.</param>
    /// <returns>Conventions of the endpoint: RequireAuthorization and the like.</returns>
    public static IEndpointConventionBuilder MapGuarded(this IEndpointRouteBuilder endpoints, string pattern, Access needed, RequestDelegate answer)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(answer);
        var map = new EndpointMap(endpoints);
        map.Add(pattern, HttpMethods.Get, Door.For(needed), answer);
        return map.Conventions;
    }

    /// <summary>
    /// Makes all answers of an app that is nothing but FurtherLink those of Further-Link: every one allows pages of public sites to reach
    /// a private network, unknown paths are answered with "404: Not Found", and requests for a host that is not this device with 421. Comes first in
    /// the pipeline. Needs what AddFurtherLink and AddWebSockets register.
    /// </summary>
    /// <param name="app">The app.</param>
    public static IApplicationBuilder UseFurtherLink(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var gate = HttpGate.Of(app.ApplicationServices);
        return app.Use(next => async context =>
        {
            HttpAnswers.AllowPrivateNetwork(context.Response);
            if (gate.CheckHost(context.Request) is { } misdirected)
            {
                gate.Tell(context, misdirected);
                await HttpAnswers.RefuseAsync(context, misdirected).ConfigureAwait(false);
                return;
            }

            await next(context).ConfigureAwait(false);
            var response = context.Response;
            if (response is { HasStarted: false, StatusCode: >= StatusCodes.Status400BadRequest, ContentLength: null, ContentType: null })
                await HttpAnswers.ErrorAsync(context, response.StatusCode).ConfigureAwait(false);
        });
    }

    private static Func<WebSocketVisit, Task> Run(IServiceProvider services, string codec) => new RunEndpoint(
        codec, services.GetRequiredService<ILinkServer>(), services.GetRequiredService<IOptions<FurtherLink.LinkOptions>>(),
        services.GetRequiredService<ILogger<RunEndpoint>>()).ServeAsync;
}
