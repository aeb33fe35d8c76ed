using System.CommandLine;
using System.CommandLine.Parsing;
using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Processes;
using Microsoft.Extensions.Options;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace FurtherLink.Host;

/// <summary>The executable "furtherlink".</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        ProcessSetup.Prepare();

        // Read once by the first socket: completions run on the thread that waits for the sockets, not on the pool.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

        // What has their numbers now is the runtime's own.
        if (!StandardStreams.IsOpen(1))
            Console.SetOut(new ClosedWriter());
        if (!StandardStreams.IsOpen(2))
            Console.SetError(TextWriter.Null);
        try
        {
            return await RunAsync(arguments);
        }
        catch (IOException exception)
        {
            return await EndAsync(ExitCodes.Refused, $"input or output failed: {exception.Message}");
        }
    }

    private static async Task<int> RunAsync(string[] arguments)
    {
        var result = FurtherLinkCommand.Parse(arguments);
        if (result.Errors.Count > 0)
        {
            var command = string.Concat(NamesOf(result.CommandResult).Reverse().Select(static name => " " + name));
            return await EndAsync(ExitCodes.Usage, [.. result.Errors.Select(static error => error.Message)], $"See furtherlink{command} --help.");
        }

        try
        {
            // Signals are the host's: it ends programs and tells clients before it goes.
            return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (SettingException exception)
        {
            return await EndAsync(ExitCodes.Usage, [.. exception.Mistakes]);
        }
        catch (OptionsValidationException exception)
        {
            return await EndAsync(ExitCodes.Usage, [.. exception.Failures]);
        }
        catch (ConsoleException exception)
        {
            return await EndAsync(exception.ExitCode, exception.Message);
        }
    }

    // What is written to reach a command: its name, and those of the commands that it is of.
    private static IEnumerable<string> NamesOf(CommandResult? command)
    {
        for (; command is { Command: not RootCommand }; command = command.Parent as CommandResult)
            yield return command.Command.Name;
    }

    private static Task<int> EndAsync(int exitCode, string message) => EndAsync(exitCode, [message]);

    /// <summary>Says why the command ends.</summary>
    private static async Task<int> EndAsync(int exitCode, IReadOnlyList<string> messages, string? advice = null)
    {
        try
        {
            foreach (var message in messages)
                await Console.Error.WriteLineAsync($"furtherlink: {message}");
            if (advice is not null)
                await Console.Error.WriteLineAsync(advice);
        }
        catch (IOException)
        {
            // The exit code says it, too.
        }

        return exitCode;
    }
}
