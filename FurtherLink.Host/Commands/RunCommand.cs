using System.CommandLine;
using System.CommandLine.Parsing;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink run": runs a file or a program on a device as if it ran here, and ends as it ends.</summary>
internal sealed class RunCommand
{
    // As the server has it.
    private const int MaxName = 200;

    private readonly Argument<string[]> _words = new("file")
    {
        Description = "The file to run, and its arguments; or behind \"--\" a program of the device, and its arguments.",
        HelpName = "FILE [ARG...] | -- PROGRAM [ARG...]",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string> _runner = new("--runner") { Description = "What runs it: python3, exec, shell, or a configured runner. Default: by the file's extension.", HelpName = "name" };
    private readonly Option<string> _directory = new("--directory") { Description = "The directory to run in, on the device.", HelpName = "path" };
    private readonly Option<string[]> _environment = new("--env") { Description = "A variable for the program: NAME=VALUE, or NAME for the value it has here. May stand several times.", HelpName = "NAME=VALUE" };
    private readonly Option<string> _user = new("--user") { Description = "The user it runs as.", HelpName = "name" };
    private readonly Option<string> _name = new("--name") { Description = "The session's name, by which others find it.", HelpName = "name" };
    private readonly Option<bool> _keep = new("--keep") { Description = "It goes on when this command ends; the newest output is kept." };
    private readonly Option<bool> _pause = new("--pause") { Description = "It goes on when this command ends, until so much output waits that it is paused; none is lost." };
    private readonly Option<bool> _detach = new("--detach") { Description = "Only start it, print its session, and leave it." };
    private readonly Option<bool> _terminal = new("--tty", "-t") { Description = "Give it a terminal even where this is none." };
    private readonly Option<bool> _noTerminal = new("--no-tty") { Description = "Give it no terminal even where this is one." };
    private readonly EscapeOption _escape;
    private readonly DeviceOptions _device;

    private RunCommand(Command command)
    {
        foreach (var option in new Option[] { _runner, _directory, _environment, _user, _name, _keep, _pause, _detach, _terminal, _noTerminal })
            command.Add(option);
        _escape = new EscapeOption(command);
        _device = new DeviceOptions(command);
        command.Add(_words);
        command.Validators.Add(Check);
    }

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("run", "Run a file or a program on a device as if it ran here: its input, output, signals and exit code.");
        var run = new RunCommand(command);
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(() => run.RunAsync(result, cancellationToken)));
        return command;
    }

    private void Check(CommandResult result)
    {
        if (result.GetValue(_name) is { Length: 0 or > MaxName })
            result.AddError($"run: --name must have 1 to {MaxName} characters");
        if (result.GetValue(_words) is null or [] && result.GetValue(_runner) is null)
            result.AddError("run: say what to run: a FILE, or a program behind \"--\"");
        if (result.GetValue(_keep) && result.GetValue(_pause))
            result.AddError("run: --keep and --pause exclude each other");
        if (result.GetValue(_terminal) && result.GetValue(_noTerminal))
            result.AddError("run: --tty and --no-tty exclude each other");
        foreach (var variable in result.GetValue(_environment) ?? [])
        {
            if (variable.Length == 0 || variable[0] == '=')
                result.AddError($"run: --env \"{variable}\" has no name: write NAME=VALUE, or NAME");
        }
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var words = result.GetValue(_words) ?? [];
        var isProgram = IsProgram(result);
        CheckWords(words, isProgram, result.GetValue(_runner));
        var notes = _device.Notes(result);
        await using var device = await _device.OpenOrMakeAsync(result, notes, cancellationToken);
        using var terminal = new LocalTerminal();
        var isDetached = result.GetValue(_detach);
        var isOnTerminal = result.GetValue(_terminal) || (terminal is { IsInput: true, IsOutput: true } && !result.GetValue(_noTerminal) && !isDetached);
        var request = new ProgramChoice(device).Choose(words, isProgram, result.GetValue(_runner), result.GetValue(_directory)) with
        {
            User = result.GetValue(_user),
            Terminal = isOnTerminal ? terminal.Size : null,
            Environment = Variables(result, device, isOnTerminal),
            Session = Session(result, device, isDetached),
        };
        var session = await StartAsync(device, request, cancellationToken);
        if (isDetached)
        {
            await session.DisposeAsync();
            await result.InvocationConfiguration.Output.WriteLineAsync(session.Id);
            return 0;
        }

        var console = new ProgramConsole(
            session,
            notes,
            new ProgramConsoleOptions
            {
                Terminal = isOnTerminal ? terminal : null,
                Escape = device.IsThisProcess ? null : _escape.Read(result),
                Owns = true,
                Farewell = request.Session.WhenDetached == WhenDetached.Stop ? "stopping it" : $"left; it goes on: furtherlink attach {session.Info.Name ?? session.Id}",
            },
            TimeProvider.System);
        var code = await console.RunAsync(default);
        await notes.WrittenAsync();
        return code;
    }

    // The parser takes an option that it does not know for the first word, and cannot tell what stands behind "--".
    private static void CheckWords(string[] words, bool isProgram, string? runner)
    {
        if (!isProgram && words is [['-', _, ..] option, ..])
            throw new ConsoleException(ExitCodes.Usage, $"run: there is no option {option}; a program of the device stands behind \"--\": furtherlink run -- PROGRAM");
        if (isProgram && runner is not null and not ProgramChoice.ProgramRunner)
            throw new ConsoleException(ExitCodes.Usage, $"run: behind \"--\" stands a program of the device, which no runner runs; leave out --runner, or write: furtherlink run --runner {runner} FILE");
        if (!isProgram && words.Length > 0 && runner is ProgramChoice.ProgramRunner)
            throw new ConsoleException(ExitCodes.Usage, $"run: the runner \"{runner}\" runs programs of the device, not files; write: furtherlink run -- {words[0]}");
    }

    /// <summary>Whether it is a program of the device: nothing stands before "--".</summary>
    private static bool IsProgram(ParseResult result)
    {
        var tokens = result.Tokens.SkipWhile(static token => token.Type != TokenType.Command).ToList();
        var dashes = tokens.FindIndex(static token => token.Type == TokenType.DoubleDash);
        var words = result.CommandResult.Children.OfType<ArgumentResult>().SelectMany(static argument => argument.Tokens).FirstOrDefault();
        return dashes >= 0 && words is not null && tokens.IndexOf(words) > dashes;
    }

    private Messages.SessionOptions Session(ParseResult result, OpenDevice device, bool isDetached)
    {
        var whenDetached = result.GetValue(_pause) ? WhenDetached.Pause : result.GetValue(_keep) || isDetached ? WhenDetached.Keep : WhenDetached.Stop;
        if (device.IsThisProcess && whenDetached != WhenDetached.Stop)
        {
            throw new ConsoleException(
                ExitCodes.Refused, $"no server runs on this machine in which the program could go on. Start one with \"furtherlink serve\", or say which device with --device or {DeviceOptions.Variable}.");
        }

        return Messages.SessionOptions.Default with { WhenDetached = whenDetached, Name = result.GetValue(_name) };
    }

    private Dictionary<string, string?> Variables(ParseResult result, OpenDevice device, bool isOnTerminal)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);

        // What a server makes up for its programs; here the program runs as this command does.
        string[] own = ["TERM", "HOME", "USER", "LOGNAME", "SHELL", "DISPLAY", "XDG_RUNTIME_DIR"];
        foreach (var name in own)
        {
            var value = Environment.GetEnvironmentVariable(name);
            if (name == "TERM" && isOnTerminal ? value is not null : device.IsThisProcess && (name == "TERM" || result.GetValue(_user) is null))
                variables[name] = value;
        }

        foreach (var variable in result.GetValue(_environment) ?? [])
        {
            var end = variable.IndexOf('=', StringComparison.Ordinal);
            variables[end < 0 ? variable : variable[..end]] = end < 0 ? Environment.GetEnvironmentVariable(variable) : variable[(end + 1)..];
        }

        return variables;
    }

    private static async Task<ClientSession> StartAsync(OpenDevice device, RunRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await device.Client.StartAsync(request, cancellationToken);
        }
        catch (LinkException e)
        {
            throw new ConsoleException(ExitCodes.Of(e), e.Message);
        }
    }
}
