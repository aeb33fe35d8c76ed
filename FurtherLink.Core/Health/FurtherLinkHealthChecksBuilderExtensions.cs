using FurtherLink.Health;
using FurtherLink.Processes.Io;
using FurtherLink.Sessions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds FurtherLink to an application's health checks.</summary>
public static class FurtherLinkHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check of whether programs can be run here: not while the application stops; degraded where output cannot be kept on disk, or the
    /// process that holds sessions does not answer. Its descriptions say why, and nothing of what clients do. Needs what AddFurtherLink registers.
    /// </summary>
    /// <param name="builder">What AddHealthChecks returned.</param>
    /// <param name="name">What the check is called. Default "furtherlink".</param>
    /// <param name="failureStatus">What it tells where no program can be run; null = <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">By what the application chooses checks; null = none.</param>
    public static IHealthChecksBuilder AddFurtherLink(
        this IHealthChecksBuilder builder, string name = "furtherlink", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name,
            static all => new FurtherLinkHealthCheck(
                all.GetRequiredService<SessionTable>(), all.GetService<ISessionKeeper>(), OperatingSystem.IsLinux() ? all.GetService<IoLoop>() : null),
            failureStatus,
            tags));
    }
}
