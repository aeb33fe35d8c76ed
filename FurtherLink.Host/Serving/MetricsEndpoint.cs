using FurtherLink.Messages;
using FurtherLink.Telemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace FurtherLink.Host.Serving;

/// <summary>Gives metrics to Prometheus: FurtherLink's own, the web server's and those of .NET.</summary>
internal static class MetricsEndpoint
{
    private const string Path = "/metrics";

    private static readonly string[] Meters =
        [LinkTelemetry.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime"];

    /// <summary>Collects them.</summary>
    public static void Add(IServiceCollection services) => services.AddOpenTelemetry()
        .ConfigureResource(static resource => resource.AddService("furtherlink", serviceVersion: ProductVersion.Text))
        .WithMetrics(static metrics => metrics.AddMeter(Meters).AddPrometheusExporter());

    /// <summary>Maps the endpoint, with the checks of all others.</summary>
    public static void Map(WebApplication app)
    {
        var exporter = ((IEndpointRouteBuilder)app).CreateApplicationBuilder();
        exporter.UseOpenTelemetryPrometheusScrapingEndpoint(static _ => true);
        app.MapGuarded(Path, Access.View, exporter.Build());
    }
}
