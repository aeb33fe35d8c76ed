using FurtherLink.Processes.Io;
using FurtherLink.Sessions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FurtherLink.Health;

/// <summary>
/// Tells whether programs can be run: healthy; degraded where something of it does not work, such as keeping output on disk; or what the
/// application says of a check that fails, by default unhealthy.
/// </summary>
/// <param name="sessions">The device's sessions.</param>
/// <param name="keeper">Runs sessions in another process; null = there is none.</param>
/// <param name="loop">Serves programs; null = there are no runners that need it.</param>
internal sealed class FurtherLinkHealthCheck(SessionTable sessions, ISessionKeeper? keeper, IoLoop? loop) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (FindFault() is { } fault)
            return new HealthCheckResult(context.Registration.FailureStatus, fault);
        var troubles = new List<string>();
        if (sessions.SpillTrouble is { } spill)
            troubles.Add($"output is not kept on disk: {spill}");
        if (keeper is not null && await keeper.FindTroubleAsync(cancellationToken).ConfigureAwait(false) is { } trouble)
            troubles.Add(trouble);
        return troubles.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join("; ", troubles));
    }

    private string? FindFault()
    {
        if (sessions.IsClosed)
            return "this device is shutting down";
        if (!OperatingSystem.IsLinux())
            return "programs can be run on Linux only";
        return loop is { IsUsable: false } ? "the thread that serves programs has ended" : null;
    }
}
