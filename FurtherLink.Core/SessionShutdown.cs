using FurtherLink.Processes.Leftovers;
using FurtherLink.Sessions;
using Microsoft.Extensions.Hosting;

namespace FurtherLink;

/// <summary>
/// Removes what a crash has left first thing when the host starts, and ends all programs first thing when it stops, so that clients still get their exits.
/// </summary>
/// <param name="sessions">The device's sessions.</param>
/// <param name="ledger">What this process has made for a while, and others before it.</param>
internal sealed class SessionShutdown(SessionTable sessions, Ledger ledger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => ledger.SweepAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => sessions.StopAllAsync();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
