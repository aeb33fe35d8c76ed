using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Children;
using Microsoft.Extensions.Options;

namespace FurtherLink.Processes;

/// <summary>
/// What all runners share: the run's user, its environment, its directory, a file for its code that is removed at the end, and the start of
/// the program.
/// </summary>
internal sealed class ProcessLauncher
{
    private readonly LinkOptions _options;
    private readonly ChildStarter? _starter;
    private readonly PythonPackage? _package;

    /// <summary>Makes a launcher.</summary>
    /// <param name="options">The core's settings.</param>
    /// <param name="starter">Starts programs; null elsewhere than on Linux.</param>
    /// <param name="package">What every Python finds, also one that a script or a shell starts; null = nothing.</param>
    public ProcessLauncher(IOptions<LinkOptions> options, ChildStarter? starter, PythonPackage? package)
    {
        _options = options.Value;
        _starter = starter;
        _package = package;
    }

    /// <summary>Starts what a plan says.</summary>
    /// <exception cref="LinkException">It cannot be started; the message says what to do.</exception>
    public ValueTask<IProcess> StartAsync(LaunchPlan plan, RunRequest request, ProcessContext context, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || _starter is null)
            throw new LinkException(FailureCode.NotSupported, "programs can be run on Linux only");
        return StartAsync(_starter, plan, request, context, cancellationToken);
    }

    [SupportedOSPlatform("linux")]
    private async ValueTask<IProcess> StartAsync(
        ChildStarter starter, LaunchPlan plan, RunRequest request, ProcessContext context, CancellationToken cancellationToken)
    {
        // Files are made and looked for: not on the caller's thread, which may be one that moves bytes for everybody.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var (spawn, code) = Prepare(plan, request, context);
        try
        {
            return await starter.StartAsync(
                spawn,
                new ChildOptions
                {
                    SessionId = context.SessionId,
                    Out = context.Out,
                    Error = context.Error,
                    InputCapacity = _options.InputCapacity,
                    InputTaken = context.InputTaken,
                    StopGrace = _options.StopGrace,
                    Cleanup = CleanupOf(code, context.User),
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            CleanupOf(code, context.User)?.Invoke();
            throw;
        }
    }

    [SupportedOSPlatform("linux")]
    private (SpawnRequest Spawn, string? Code) Prepare(LaunchPlan plan, RunRequest request, ProcessContext context)
    {
        var user = context.User;
        user.EnsureAllowed();
        if (request.Arguments.Any(argument => argument.Contains('\0', StringComparison.Ordinal)))
            throw new LinkException(FailureCode.BadValue, "an argument has a NUL in it");
        var files = new ProgramFiles(_options);
        files.EnsureSettings(user);
        var environment = ProgramEnvironment.Create(user);
        if (_package is not null)
            ProgramEnvironment.Prepend(environment, "PYTHONPATH", _package.Directory);
        plan.Environment?.Invoke(environment);
        string? code = null;
        // No awaits from here: this thread is the user.
        using (new FileUser(user))
        {
            try
            {
                var (file, directory) = Place(plan, files.Resolve(request.Path, user), request.Code);
                code = request.Code is null ? null : file;
                environment["PWD"] = directory;
                ProgramEnvironment.Apply(environment, context.Environment!);
                ProgramEnvironment.Apply(environment, request.Environment);
                environment[ChildOptions.SessionVariable] = context.SessionId;

                ProgramFiles.EnsureEnterable(directory, user);
                if (plan.RunsFile)
                    ProgramFiles.EnsureExecutable(file, user);
                var command = plan.Command(file);
                var program = ProgramEnvironment.FindProgram(environment, command[0], directory)
                    ?? throw new LinkException(FailureCode.ProgramNotFound, $"there is no program \"{command[0]}\" on this device: it has to be installed, in a directory that PATH names");
                if (plan.RunsFile)
                    ProgramFiles.EnsureFormat(program);
                return (
                    new SpawnRequest
                    {
                        Program = program,
                        Arguments = [program, .. command.Skip(1), .. request.Arguments],
                        Environment = [.. environment.Select(variable => $"{variable.Key}={variable.Value}")],
                        Directory = directory,
                        Terminal = request.Terminal,
                        User = user,
                    },
                    code);
            }
            catch when (code is not null)
            {
                File.Delete(code);
                throw;
            }
        }
    }

    /// <summary>Finds or makes the file to run, and the directory to run it in.</summary>
    [SupportedOSPlatform("linux")]
    private static (string File, string Directory) Place(LaunchPlan plan, string path, string? code)
    {
        if (!plan.TakesFile)
        {
            if (code is not null)
                throw new LinkException(FailureCode.BadValue, "this runner takes no code: send what it is to do as its input");
            ProgramFiles.EnsureDirectory(path);
            return (path, path);
        }

        if (code is not null)
        {
            ProgramFiles.EnsureDirectory(path);
            return (ProgramFiles.Create(path, plan, code), path);
        }

        var directory = Path.GetDirectoryName(path) ?? "/";
        // A program that is missing is its own answer; an interpreter says itself that it cannot find the file.
        if (!plan.RunsFile)
            ProgramFiles.EnsureDirectory(directory);
        return (path, directory);
    }

    [SupportedOSPlatform("linux")]
    private static Action? CleanupOf(string? code, UserAccount user) => code is null ? null : () => ProgramFiles.Remove(code, user);
}
