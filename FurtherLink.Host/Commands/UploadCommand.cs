using System.CommandLine;
using FurtherLink.Client.Consoles;
using FurtherLink.Host.Consoles;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink upload": puts a directory into the device's work directory.</summary>
internal sealed class UploadCommand
{
    private readonly Argument<string> _directory = new("directory") { Description = "The directory here." };
    private readonly Option<string> _name = new("--name") { Description = "What it is called there, below the work directory. Default: its own name.", HelpName = "path" };
    private readonly Option<string> _user = new("--user") { Description = "The user whose files they become.", HelpName = "name" };
    private readonly DeviceOptions _device;

    private UploadCommand(Command command)
    {
        command.Add(_directory);
        command.Add(_name);
        command.Add(_user);
        _device = new DeviceOptions(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_directory) is { Tokens: [var directory, ..] } && !Directory.Exists(directory.Value))
                result.AddError($"upload: there is no directory {directory.Value} here");
            else if (result.GetValue(_name) is "" || (result.GetValue(_name) is null && result.GetResult(_directory) is { Tokens: [var named, ..] } && NameOf(named.Value).Length == 0))
                result.AddError("upload: say with --name what it is to be called there");
        });
    }

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("upload", "Put a directory into the device's work directory, in place of what stands there under its name.");
        var upload = new UploadCommand(command);
        command.SetAction((result, cancellationToken) => ConsoleCommand.RunAsync(() => upload.RunAsync(result, cancellationToken)));
        return command;
    }

    /// <summary>A directory's own name; the root has none.</summary>
    private static string NameOf(string directory) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));

    private async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var notes = _device.Notes(result);
        await using var device = await _device.OpenAsync(result, notes, cancellationToken);
        var directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(result.GetValue(_directory)!));
        var name = result.GetValue(_name) ?? NameOf(directory);
        IReadOnlyList<string> leftOut;
        try
        {
            await using (var meter = new TransferMeter(notes, LocalTerminal.IsError, TimeProvider.System))
            {
                leftOut = await device.Client.UploadAsync(directory, name, meter, result.GetValue(_user), cancellationToken);
                meter.Complete();
            }

            foreach (var path in leftOut)
                notes.Say($"{PlainText.Of(path)} is no file and was left out");
            await notes.WrittenAsync();
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(ExitCodes.Refused, $"nothing was uploaded: {e.Message}");
        }
    }
}
