using System.CommandLine;
using FurtherLink.Client;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink logs": what a session has printed, and with --follow what it prints from then on.</summary>
internal sealed class LogsCommand
{
    private readonly Argument<string> _session = SessionNames.Argument("session", ArgumentArity.ExactlyOne);
    private readonly Option<bool> _follow = new("--follow", "-f") { Description = "Go on until the program ends; then this ends with its exit code." };
    private readonly Option<long?> _from = OffsetOption.Create("Begin at this offset, in bytes since the start. Default 0.");
    private readonly DeviceOptions _device;

    private LogsCommand(Command command)
    {
        command.Add(_session);
        command.Add(_follow);
        command.Add(_from);
        _device = new DeviceOptions(command);
    }

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("logs", "Print the output of a session so far.");
        var logs = new LogsCommand(command);
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(() => logs.RunAsync(result, cancellationToken)));
        return command;
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var notes = _device.Notes(result);
        await using var device = await _device.OpenAsync(result, notes, cancellationToken);
        var info = await SessionNames.FindAsync(device.Client, result.GetValue(_session)!, cancellationToken);
        var follows = result.GetValue(_follow);
        var from = result.GetValue(_from) ?? 0;
        if (!follows && from >= info.End)
            return 0;
        await using var session = await device.Client.AttachAsync(info.Id, new AttachRequest { From = from, Access = Access.View }, cancellationToken);
        var missed = session.StartOffset - from;
        if (missed > 0)
            notes.Say($"{missed} bytes of output are not kept any more");
        var code = await new LogPrinter(session, notes, follows ? null : info.End).RunAsync();
        await notes.WrittenAsync();
        return code;
    }
}
