using FurtherLink.Messages;

namespace FurtherLink.Processes.Runners;

/// <summary>"shell": the user's login shell; interactive where it has a terminal, otherwise it reads commands.</summary>
/// <param name="launcher">What all runners share.</param>
internal sealed class ShellRunner(ProcessLauncher launcher) : IProcessRunner
{
    /// <inheritdoc/>
    public string Name => "shell";

    /// <inheritdoc/>
    public ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken)
    {
        // passwd(5): an empty field means /bin/sh.
        var shell = context.User.Shell is { Length: > 0 } own ? own : "/bin/sh";
        var plan = new LaunchPlan { Command = _ => [shell], TakesFile = false };
        // Code is no part of what a shell is started with; clients send it all the same, and it counts for nothing.
        return launcher.StartAsync(plan, request with { Code = null }, context, cancellationToken);
    }
}
