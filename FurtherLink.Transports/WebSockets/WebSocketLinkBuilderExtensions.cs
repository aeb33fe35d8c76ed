using FurtherLink;
using FurtherLink.Transports.WebSockets;
using FurtherLink.Transports.WebSockets.Admission;
using FurtherLink.Transports.WebSockets.KeepAlive;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the settings of FurtherLink's WebSocket and HTTP endpoints.</summary>
public static class WebSocketLinkBuilderExtensions
{
    /// <summary>Adds what the endpoints need that MapFurtherLink and the like map, and configures them.</summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="configuration">The section with <see cref="WebSocketLinkOptions"/>; null = none.</param>
    /// <param name="configure">Sets options in code, after the configuration; null = nothing.</param>
    public static LinkBuilder AddWebSockets(
        this LinkBuilder builder, IConfiguration? configuration = null, Action<WebSocketLinkOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<WebSocketLinkOptions>().ValidateOnStart();
        if (configuration is not null)
            options.BindSettings(configuration, static (section, endpoints) => section.Bind(endpoints));
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WebSocketLinkOptions>, WebSocketLinkOptionsValidation>());
        builder.Services.TryAddSingleton<LoginTable>();
        builder.Services.TryAddSingleton<HostPolicy>();
        builder.Services.TryAddSingleton<OriginPolicy>();
        builder.Services.TryAddSingleton(static all => new AddressLimit(all.GetRequiredService<IOptions<WebSocketLinkOptions>>(), spare: 0));
        builder.Services.TryAddSingleton<ConnectionLimit>();
        builder.Services.TryAddSingleton<HttpGate>();
        // Clients answer in the time of the world, whatever clock policies go by.
        builder.Services.TryAddSingleton(static services => new KeepAlivePatrol(services.GetRequiredService<IOptions<WebSocketLinkOptions>>(), TimeProvider.System));
        return builder;
    }
}
