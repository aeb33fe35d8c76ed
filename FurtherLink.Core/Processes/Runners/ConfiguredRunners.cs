using Microsoft.Extensions.Options;

namespace FurtherLink.Processes.Runners;

/// <summary>The runners of <see cref="LinkOptions.Runners"/>.</summary>
/// <param name="options">The core's settings.</param>
/// <param name="launcher">What all runners share.</param>
internal sealed class ConfiguredRunners(IOptions<LinkOptions> options, ProcessLauncher launcher) : IRunnerSource
{
    /// <inheritdoc/>
    public IReadOnlyList<IProcessRunner> Runners { get; } =
        [.. options.Value.Runners.Select(runner => new CommandRunner(runner.Key, runner.Value, launcher))];
}
