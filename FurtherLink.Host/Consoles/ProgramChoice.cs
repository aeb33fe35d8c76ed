using System.Text;
using FurtherLink.Host.Configuration;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>
/// What "furtherlink run" asks a device to run. A file of this machine is run where it is, in its own directory; by a device elsewhere, or in another
/// directory, as a copy of its text.
/// </summary>
/// <param name="device">The device.</param>
internal sealed class ProgramChoice(OpenDevice device)
{
    /// <summary>The runner of programs that the device has.</summary>
    public const string ProgramRunner = "program";

    // Beside the text a message has room for the rest of the request, and escapes in the text.
    private const int Room = 64 * 1024;

    /// <summary>Makes a request of a command line.</summary>
    /// <param name="words">The file or the program, and its arguments.</param>
    /// <param name="isProgram">Which of both.</param>
    /// <param name="runner">What runs it; null = it is found out.</param>
    /// <param name="directory">Where it runs; null = as by default.</param>
    /// <exception cref="ConsoleException">There is no such file, or it cannot be sent.</exception>
    public RunRequest Choose(IReadOnlyList<string> words, bool isProgram, string? runner, string? directory)
    {
        // A name that begins here begins at the directory that people see.
        if (directory is not null && device.IsHere)
            directory = Path.GetFullPath(directory);
        if (isProgram || words.Count == 0)
            return new RunRequest(runner ?? ProgramRunner) { Arguments = words, Path = directory ?? (device.IsHere ? Environment.CurrentDirectory : null) };
        var file = Path.GetFullPath(words[0]);
        if (Directory.Exists(file))
            throw new ConsoleException(ExitCodes.NotRunnable, $"{words[0]} is a directory; say a file in it.");
        if (!File.Exists(file))
            throw new ConsoleException(ExitCodes.NotFound, $"there is no file {words[0]} here; for a program of the device write: furtherlink run -- {words[0]}");
        var request = new RunRequest(runner ?? RunnerOf(file)) { Arguments = [.. words.Skip(1)] };
        return device.IsHere && directory is null ? request with { Path = file } : request with { Code = Read(words[0], file), Path = directory };
    }

    private static string RunnerOf(string file)
    {
        var extension = Path.GetExtension(file);
        if (extension.Length == 0)
            return "exec";
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>());
        var configured = configuration.Root.GetSection(HostConfiguration.Section + ":Runners").GetChildren()
            .FirstOrDefault(runner => extension.Equals(runner["Extension"], StringComparison.OrdinalIgnoreCase));
        return configured?.Key ?? (extension == ".py" ? "python3" : "exec");
    }

    private string Read(string name, string file)
    {
        try
        {
            var most = device.Client.Server.MaxMessage - Room;
            if (new FileInfo(file).Length > most)
                throw new ConsoleException(ExitCodes.NotRunnable, $"{name} is larger than the {most} bytes that the device takes as a program. Send it with \"furtherlink upload\" and run it there.");
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file));
        }
        catch (DecoderFallbackException)
        {
            throw new ConsoleException(ExitCodes.NotRunnable, $"{name} is no text in UTF-8. Send it with \"furtherlink upload\" and run it there.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(ExitCodes.NotRunnable, $"{name} cannot be read: {e.Message}");
        }
    }
}
