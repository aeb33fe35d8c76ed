using FurtherLink.Processes.ControlGroups;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FurtherLink.Processes.Profiles;

/// <summary>
/// Sees to it, before any program is started, that profiles hold: each is a runner's, and where some limit programs, this process moves to where they can
/// have control groups.
/// </summary>
/// <param name="options">The core's settings.</param>
/// <param name="runners">Single runners.</param>
/// <param name="sources">Runners of the settings.</param>
/// <param name="groups">The control groups; null = none.</param>
internal sealed class ProfileStart(IOptions<LinkOptions> options, IEnumerable<IProcessRunner> runners, IEnumerable<IRunnerSource> sources, GroupTree? groups = null) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var profiles = options.Value.Profiles;
        if (profiles.Count == 0)
            return Task.CompletedTask;
        var names = runners.Concat(sources.SelectMany(static source => source.Runners)).Select(static runner => runner.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();

        // A profile that is nobody's is one that somebody goes without.
        var mistakes = profiles.Keys.Where(name => name != LinkOptions.EveryRunner && !names.Contains(name))
            .Select(name => $"Profiles:{name}: there is no such runner; there are {string.Join(", ", names)}, and \"{LinkOptions.EveryRunner}\" for all that have none of their own").ToList();
        if (mistakes.Count > 0)
            throw new OptionsValidationException("", typeof(LinkOptions), mistakes);
        if (profiles.Values.Any(static profile => profile.LimitsUse))
            groups?.Prepare();
        var shared = profiles.Where(static profile => profile.Value.Cpus is not null).Select(static profile => profile.Key).ToList();
        if (shared.Count > 0 && (groups is null ? "this system has none" : groups.TroubleWithCpus()) is { } trouble)
            throw new OptionsValidationException("", typeof(LinkOptions), shared.Select(name => $"Profiles:{name}:Cpus: only control groups of version 2 hold programs to a share of the processors, and here programs get none: {trouble}"));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
