using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Gateways;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Lets Portacode gateways dial in.</summary>
public static class PortacodeEndpointExtensions
{
    /// <summary>
    /// Maps the address where gateways and tools dial in to the device, by WebSocket, behind the checks of MapFurtherLink's own. The device begins
    /// with its key, as where it dials itself. Needs what AddFurtherLink and AddPortacode register.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <param name="pattern">The path.</param>
    /// <returns>Conventions of the endpoint: RequireAuthorization and the like.</returns>
    /// <exception cref="DeviceIdentityException">The device's key cannot be used.</exception>
    public static IEndpointConventionBuilder MapPortacode(this IEndpointRouteBuilder endpoints, string pattern = "/portacode")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var endpoint = new GatewayEndpoint(
            services.GetRequiredService<DeviceIdentity>(), services.GetRequiredService<GatewayServer>(), services.GetRequiredService<IOptions<PortacodeOptions>>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<GatewayEndpoint>>());
        return endpoints.MapWebSocket(pattern, endpoint.ServeAsync);
    }
}
