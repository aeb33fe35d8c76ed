using FurtherLink.Messages;
using Microsoft.Extensions.Options;

namespace FurtherLink.Processes.Runners;

/// <summary>"python3": runs Python, unbuffered, from the configured virtual environment where there is one.</summary>
/// <param name="launcher">What all runners share.</param>
/// <param name="options">The core's settings.</param>
internal sealed class PythonRunner(ProcessLauncher launcher, IOptions<LinkOptions> options) : IProcessRunner
{
    private readonly LaunchPlan _plan = new()
    {
        Command = file => ["python3", "-u", file],
        FileExtension = ".py",
        Environment = environment => UseVenv(environment, options.Value.PythonVenv),
    };

    /// <inheritdoc/>
    public string Name => "python3";

    /// <inheritdoc/>
    public ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken) =>
        launcher.StartAsync(_plan, request, context, cancellationToken);

    private static void UseVenv(Dictionary<string, string> environment, string? venv)
    {
        if (!OperatingSystem.IsLinux())
            return;
        if (!string.IsNullOrEmpty(venv) && File.Exists(Path.Combine(venv, "bin", "python3")))
        {
            environment["VIRTUAL_ENV"] = venv;
            ProgramEnvironment.Prepend(environment, "PATH", Path.Combine(venv, "bin"));
        }
    }
}
