using FurtherLink.Messages;

namespace FurtherLink.Processes.Runners;

/// <summary>"exec": runs a file that the system can run, a binary or a script whose first line names its interpreter.</summary>
/// <param name="launcher">What all runners share.</param>
internal sealed class ExecRunner(ProcessLauncher launcher) : IProcessRunner
{
    private static readonly LaunchPlan Plan = new() { Command = file => [file], RunsFile = true, FilePrefix = "exec-" };

    /// <inheritdoc/>
    public string Name => "exec";

    /// <inheritdoc/>
    public ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken) =>
        launcher.StartAsync(Plan, request, context, cancellationToken);
}
