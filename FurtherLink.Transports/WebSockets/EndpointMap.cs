using FurtherLink.Sessions;
using FurtherLink.Transports.WebSockets.Admission;
using FurtherLink.Transports.WebSockets.KeepAlive;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Adds endpoints to an app, each behind the same checks.</summary>
internal sealed class EndpointMap
{
    private readonly IEndpointRouteBuilder _endpoints;
    private readonly RouteGroupBuilder _group;
    private readonly IOptions<WebSocketLinkOptions> _options;
    private readonly HttpGate _gate;
    private readonly KeepAlivePatrol _patrol;
    private readonly ILogger _logger;

    /// <summary>Begins with none.</summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    public EndpointMap(IEndpointRouteBuilder endpoints)
    {
        _endpoints = endpoints;
        _group = endpoints.MapGroup("");
        _options = endpoints.ServiceProvider.GetRequiredService<IOptions<WebSocketLinkOptions>>();
        _gate = HttpGate.Of(endpoints.ServiceProvider);
        _patrol = endpoints.ServiceProvider.GetRequiredService<KeepAlivePatrol>();
        _logger = endpoints.ServiceProvider.GetRequiredService<ILogger<LinkEndpoint>>();
    }

    /// <summary>Conventions of all that were added.</summary>
    public IEndpointConventionBuilder Conventions => _group;

    /// <summary>Adds one.</summary>
    /// <param name="pattern">The path; a parameter at its end is one segment.</param>
    /// <param name="method">The one method.</param>
    /// <param name="door">What is asked of those who want in.</param>
    /// <param name="answer">Answers what remains.</param>
    public void Add(string pattern, string method, Door door, RequestDelegate answer)
    {
        var endpoint = new LinkEndpoint(pattern, method, door, _gate, answer, _logger);
        // WebSockets are enabled for these endpoints alone, whatever the app around them does.
        var pipeline = _endpoints.CreateApplicationBuilder();
        pipeline.Use(next => context =>
        {
            KeptUpgrade.Offer(context, _patrol);
            return next(context);
        });
        pipeline.UseWebSockets();
        pipeline.Run(endpoint.InvokeAsync);
        _group.Map(pattern, pipeline.Build()).WithDisplayName($"FurtherLink {pattern}");
    }

    /// <summary>An answer that accepts WebSockets.</summary>
    /// <param name="serve">Accepts one and serves it to its end.</param>
    public RequestDelegate Socket(Func<WebSocketVisit, Task> serve) =>
        new SocketEndpoint(serve, _options, _endpoints.ServiceProvider.GetRequiredService<SessionTable>()).InvokeAsync;
}
