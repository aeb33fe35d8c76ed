using System.CommandLine;
using FurtherLink.Host.Consoles;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink completion": the script that has a shell complete the commands, the options and the sessions of this command line.</summary>
internal static class CompletionCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("completion", "Print what makes a shell complete this command: source <(furtherlink completion bash)");
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. CompletionScripts.Shells]);
        command.Add(shell);
        command.SetAction(result => result.InvocationConfiguration.Output.Write(CompletionScripts.Of(result.GetValue(shell)!)));
        return command;
    }
}
