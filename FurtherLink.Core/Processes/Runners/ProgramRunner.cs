using FurtherLink.Messages;

namespace FurtherLink.Processes.Runners;

/// <summary>
/// "program": runs a program that is installed, found in PATH or by its path, as a command line would: the request's first argument is the
/// program, the others are its own, its path the directory to run in (null = the user's home). Without arguments it is the user's shell.
/// A service of its own: runners that turn a request into a command line start that by it.
/// </summary>
public sealed class ProgramRunner : IProcessRunner
{
    private readonly ProcessLauncher _launcher;

    /// <summary>Makes it.</summary>
    /// <param name="launcher">What all runners share.</param>
    internal ProgramRunner(ProcessLauncher launcher) => _launcher = launcher;

    /// <inheritdoc/>
    public string Name => "program";

    /// <inheritdoc/>
    public ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        if (request.Code is not null)
            throw new LinkException(FailureCode.BadValue, "a program takes no code: its first argument is the program");
        var program = request.Arguments is [var first, ..] ? first : context.User.Shell is { Length: > 0 } shell ? shell : "/bin/sh";
        var plan = new LaunchPlan { Command = _ => [program], TakesFile = false };
        var rest = request with { Arguments = [.. request.Arguments.Skip(1)], Path = request.Path ?? context.User.Home };
        return _launcher.StartAsync(plan, rest, context, cancellationToken);
    }
}
