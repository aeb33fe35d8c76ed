using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Profiles;
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
    private readonly Ledger? _ledger;
    private readonly GroupTree? _groups;
    private readonly SandboxTrial? _sandbox;

    /// <summary>Makes a launcher.</summary>
    /// <param name="options">The core's settings.</param>
    /// <param name="starter">Starts programs; null elsewhere than on Linux.</param>
    /// <param name="package">What every Python finds, also one that a script or a shell starts; null = nothing.</param>
    /// <param name="ledger">Where files of code are written down for the case of a crash; null = nowhere.</param>
    /// <param name="groups">Where programs with limits get control groups; null = nowhere.</param>
    public ProcessLauncher(IOptions<LinkOptions> options, ChildStarter? starter, PythonPackage? package, Ledger? ledger = null, GroupTree? groups = null)
    {
        _groups = groups;
        if (OperatingSystem.IsLinux() && starter is not null)
            _sandbox = new SandboxTrial(starter, Confinement.Trial);
        _options = options.Value;
        _starter = starter;
        _package = package;
        _ledger = ledger;
    }

    /// <summary>Starts what a plan says. Files are looked for and made: not for a thread that moves bytes for everybody.</summary>
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
        var profile = request.Profile ?? _options.FindProfile(request.Runner);
        if (profile is { Sandbox: true })
            await _sandbox!.EnsureAsync(context.User, profile, cancellationToken).ConfigureAwait(false);
        var (spawn, code, file) = Prepare(plan, request, context, profile);
        ControlGroup? group = null;
        try
        {
            if (profile is not null)
            {
                group = profile.LimitsUse ? _groups?.TryMake(profile) : null;
                spawn = Confinement.Apply(spawn, profile, PlacesOf(spawn.User, [file, spawn.Program], context), group);
            }

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
                    Profile = profile,
                    Group = group,
                    Cleanup = code is null ? null : code.Dispose,
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            group?.Dispose();
            code?.Dispose();
            throw;
        }
    }

    [SupportedOSPlatform("linux")]
    private (SpawnRequest Spawn, CodeFile? Code, string? File) Prepare(LaunchPlan plan, RunRequest request, ProcessContext context, RunProfile? profile)
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
        if (!plan.TakesFile && request.Code is not null)
            throw new LinkException(FailureCode.BadValue, "this runner takes no code: send what it is to do as its input");
        var path = files.Resolve(request.Path, user);
        var confined = profile is { Sandbox: true } ? new ConfinedFiles(PlacesOf(user, [], context)) : null;
        var code = request.Code is null ? null : CodeFile.Create(path, plan, request.Code, user, _ledger, confined);
        try
        {
            // No awaits from here: this thread is the user.
            using (new FileUser(user))
            {
                var (file, directory) = code is null ? Place(plan, path, confined) : (code.Path, path);
                environment["PWD"] = directory;
                ProgramEnvironment.Apply(environment, context.Environment!);
                ProgramEnvironment.Apply(environment, request.Environment);
                environment[ChildOptions.SessionVariable] = context.SessionId;

                if (profile is { Sandbox: true })
                    environment["PATH"] = Confinement.Visible(ProgramEnvironment.PathOf(environment), PlacesOf(user, [], context));
                ProgramFiles.EnsureEnterable(directory, user);
                if (plan.RunsFile)
                    ProgramFiles.EnsureExecutable(file, user, mayChange: confined is null || code is not null || confined.IsOwn(file));
                var command = plan.Command(file);
                var program = ProgramEnvironment.FindProgram(environment, command[0], directory)
                    ?? throw new LinkException(FailureCode.ProgramNotFound, $"there is no program \"{command[0]}\" on this device: it has to be installed, in a directory that PATH names");
                ProgramFiles.EnsureProgram(program, user);
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
                    code,
                    plan.TakesFile ? file : null);
            }
        }
        catch
        {
            code?.Dispose();
            throw;
        }
    }

    /// <summary>What a program knows of beside the system: its work directory, its file, its session's own directory, and what every Python finds.</summary>
    [SupportedOSPlatform("linux")]
    private ConfinedPlaces PlacesOf(UserAccount user, string?[] own, ProcessContext context)
    {
        var files = new ProgramFiles(_options);
        string?[] readOnly = [.. own, _package?.Directory, _options.PythonVenv];
        return new ConfinedPlaces(
            Path.GetFullPath(_options.TempDirectory),
            [files.WorkDirectory(user), .. context.Environment.Values.Where(Directory.Exists)],
            [.. readOnly.OfType<string>().Where(static path => path.Length > 0)]);
    }

    /// <summary>Finds the file to run, and finds or makes the directory to run it in.</summary>
    [SupportedOSPlatform("linux")]
    private static (string File, string Directory) Place(LaunchPlan plan, string path, ConfinedFiles? confined)
    {
        if (!plan.TakesFile)
        {
            Make(path, confined);
            return (path, path);
        }

        var directory = Path.GetDirectoryName(path) ?? "/";
        // A program that is missing is its own answer; an interpreter says itself that it cannot find the file.
        if (!plan.RunsFile)
            Make(directory, confined);
        return (path, directory);
    }

    [SupportedOSPlatform("linux")]
    private static void Make(string directory, ConfinedFiles? confined)
    {
        if (confined is null)
            ProgramFiles.EnsureDirectory(directory);
        else if (!Directory.Exists(directory))
            confined.Open(directory).Dispose();
    }
}
