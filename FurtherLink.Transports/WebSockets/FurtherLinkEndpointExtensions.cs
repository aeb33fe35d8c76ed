using FurtherLink;
using FurtherLink.Device;
using FurtherLink.Sessions;
using FurtherLink.Transports.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds FurtherLink's endpoints to any ASP.NET Core app.</summary>
public static class FurtherLinkEndpointExtensions
{
    /// <summary>
    /// Maps /run and /run-py (WebSocket), /status, /version, /version/apt/{pkg} and /upload, as Further-Link's clients know them, and
    /// /recordings/{session}. Needs what AddFurtherLink registers.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <returns>Conventions of all these endpoints: RequireAuthorization and the like.</returns>
    public static IEndpointConventionBuilder MapFurtherLink(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var options = services.GetRequiredService<IOptions<WebSocketLinkOptions>>();
        var origins = new OriginPolicy(options);
        var logger = services.GetRequiredService<ILogger<LinkEndpoint>>();
        var device = new DeviceEndpoints(services.GetRequiredService<FileStore>(), services.GetRequiredService<DebianPackages>(), options);

        var group = endpoints.MapGroup("");
        Map("/run", HttpMethods.Get, guarded: true, Run("further"));
        Map("/run-py", HttpMethods.Get, guarded: true, Run("run-py"));
        Map("/status", HttpMethods.Get, guarded: false, DeviceEndpoints.StatusAsync);
        Map("/version", HttpMethods.Get, guarded: false, DeviceEndpoints.VersionAsync);
        Map("/version/apt/{pkg}", HttpMethods.Get, guarded: false, device.AptVersionAsync);
        Map("/upload", HttpMethods.Post, guarded: true, device.UploadAsync);
        Map("/recordings/{session}", HttpMethods.Get, guarded: true, new RecordingEndpoint(services.GetRequiredService<SessionTable>(), options).InvokeAsync);
        return group;

        void Map(string pattern, string method, bool guarded, RequestDelegate answer)
        {
            var endpoint = new LinkEndpoint(pattern, method, guarded, origins, answer, logger);
            // WebSockets are enabled for these endpoints alone, whatever the app around them does.
            var pipeline = endpoints.CreateApplicationBuilder();
            pipeline.UseWebSockets();
            pipeline.Run(endpoint.InvokeAsync);
            group.Map(pattern, pipeline.Build()).WithDisplayName($"FurtherLink {pattern}");
        }

        RequestDelegate Run(string codec) => new RunEndpoint(
            codec, services.GetRequiredService<ILinkServer>(), options, services.GetRequiredService<IOptions<FurtherLink.LinkOptions>>(),
            services.GetRequiredService<IHostApplicationLifetime>(), services.GetRequiredService<ILogger<RunEndpoint>>()).InvokeAsync;
    }

    /// <summary>
    /// Makes all answers of an app that is nothing but FurtherLink those of Further-Link: every one allows pages of public sites to reach
    /// a private network, and unknown paths are answered with "404: Not Found". Comes first in the pipeline.
    /// </summary>
    /// <param name="app">The app.</param>
    public static IApplicationBuilder UseFurtherLink(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Use(next => async context =>
        {
            HttpAnswers.AllowPrivateNetwork(context.Response);
            await next(context).ConfigureAwait(false);
            var response = context.Response;
            if (response is { HasStarted: false, StatusCode: >= StatusCodes.Status400BadRequest, ContentLength: null, ContentType: null })
                await HttpAnswers.ErrorAsync(context, response.StatusCode).ConfigureAwait(false);
        });
    }
}
