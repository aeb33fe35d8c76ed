using System.CommandLine;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink attach": joins a session that exists, to type into it or to watch it, until its program ends or the person leaves.</summary>
internal sealed class AttachCommand
{
    private readonly Argument<string> _session = SessionNames.Argument("session", ArgumentArity.ExactlyOne);
    private readonly Option<bool> _view = new("--view") { Description = "Only watch: nothing typed goes to the program." };
    private readonly Option<long?> _from = OffsetOption.Create("Show the output from this offset on, in bytes since the start. Default: what its terminal shows now, else all of it.");
    private readonly EscapeOption _escape;
    private readonly DeviceOptions _device;

    private AttachCommand(Command command)
    {
        command.Add(_session);
        command.Add(_view);
        command.Add(_from);
        _escape = new EscapeOption(command);
        _device = new DeviceOptions(command);
    }

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("attach", "Join a session: see its output, and type into it.");
        var attach = new AttachCommand(command);
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(() => attach.RunAsync(result, cancellationToken)));
        return command;
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var notes = _device.Notes(result);
        await using var device = await _device.OpenAsync(result, notes, cancellationToken);
        var info = await SessionNames.FindAsync(device.Client, result.GetValue(_session)!, cancellationToken);
        using var terminal = new LocalTerminal();
        var isOnTerminal = info.Terminal is not null && terminal is { IsInput: true, IsOutput: true };
        var from = result.GetValue(_from);
        var isView = result.GetValue(_view);
        var request = new AttachRequest
        {
            From = from ?? 0,
            Access = isView ? Access.View : Access.Drive,
            Screen = isOnTerminal && from is null && info.Exit is null,
        };
        var session = await device.Client.AttachAsync(info.Id, request, cancellationToken);
        var escape = _escape.Read(result);
        if (isOnTerminal && info.Exit is null && (isView || escape.Text.Length > 0))
            notes.Say($"{string.Join(" or ", new[] { isView ? "Ctrl-C" : "", escape.Text }.Where(static keys => keys.Length > 0))} leaves it");
        if (!isView && info.Exit is null && !session.Drives)
            Watch(session, notes, isTyped: terminal.IsInput);

        // What it shows would cover what is said later.
        await notes.WrittenAsync();
        var console = new ProgramConsole(
            session,
            notes,
            new ProgramConsoleOptions
            {
                Terminal = isOnTerminal ? terminal : null,
                Escape = escape,
                IsView = isView,
                Farewell = $"left; it goes on: furtherlink attach {info.Name ?? info.Id}",
            },
            TimeProvider.System);
        var code = await console.RunAsync(session.Screen ?? default);
        await notes.WrittenAsync();
        return code;
    }

    /// <summary>Says that another drives, and when that is over.</summary>
    private static void Watch(ClientSession session, Notes notes, bool isTyped)
    {
        var drives = false;
        notes.Complain(isTyped
            ? "another client drives this session: what you type is not sent until it leaves or hands over"
            : "another client drives this session: standard input waits until it leaves or hands over");
        session.Noticed += (_, _) =>
        {
            if (session.Drives != drives)
                notes.Complain((drives = session.Drives) ? "now you drive this session" : "another client drives this session now: nothing more is sent");
        };
    }
}
