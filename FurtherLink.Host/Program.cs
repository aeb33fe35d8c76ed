using System.CommandLine;
using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Processes;

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

        var result = FurtherLinkCommand.Create().Parse(arguments);
        if (result.Errors.Count > 0)
        {
            foreach (var error in result.Errors)
                await Console.Error.WriteLineAsync($"furtherlink: {error.Message}");
            var command = result.CommandResult.Command is RootCommand ? "" : " " + result.CommandResult.Command.Name;
            await Console.Error.WriteLineAsync($"See furtherlink{command} --help.");
            return ExitCodes.Usage;
        }

        try
        {
            // Signals are the host's: it ends programs and tells clients before it goes.
            return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (SettingException exception)
        {
            foreach (var mistake in exception.Mistakes)
                await Console.Error.WriteLineAsync($"furtherlink: {mistake}");
            return ExitCodes.Usage;
        }
        catch (ConsoleException exception)
        {
            await Console.Error.WriteLineAsync($"furtherlink: {exception.Message}");
            return exception.ExitCode;
        }
    }
}
