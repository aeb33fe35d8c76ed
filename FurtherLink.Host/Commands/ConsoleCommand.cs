using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>What the commands for people share: they need Linux.</summary>
internal static class ConsoleCommand
{
    /// <summary>Runs one.</summary>
    /// <exception cref="ConsoleException">It cannot be carried out.</exception>
    public static async Task<int> RunAsync(Func<Task<int>> command)
    {
        if (!OperatingSystem.IsLinux())
            throw new ConsoleException(ExitCodes.Refused, "this command works on Linux only.");
        try
        {
            return await command();
        }
        catch (LinkException e)
        {
            throw new ConsoleException(ExitCodes.Of(e), e.Message);
        }
    }
}
