using FurtherLink.Sessions;
using Microsoft.Extensions.Hosting;

namespace FurtherLink;

/// <summary>Ends all programs first thing when the host stops, so that clients still get their exits.</summary>
/// <param name="sessions">The device's sessions.</param>
internal sealed class SessionShutdown(SessionTable sessions) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => sessions.StopAllAsync();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
