using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FurtherLink.Processes.ControlGroups;

/// <summary>Moves this process to where its programs can have control groups, before it starts anybody; only where some programs are limited.</summary>
/// <param name="groups">The groups.</param>
/// <param name="options">The core's settings.</param>
internal sealed class GroupStart(GroupTree groups, IOptions<LinkOptions> options) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Profiles.Values.Any(static profile => profile.LimitsUse))
            groups.Prepare();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
