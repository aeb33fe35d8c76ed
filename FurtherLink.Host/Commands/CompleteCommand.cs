using System.CommandLine;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink complete": what the last of the words of a command line may become, one a line; the scripts of "completion" ask.</summary>
internal static class CompleteCommand
{
    // A person waits for it, with the cursor in the line.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private static readonly string[] WithSession = ["attach", "logs", "stop"];

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("complete", "Print what the last word of a command line may become.") { Hidden = true };
        var words = new Argument<string[]>("words") { Arity = ArgumentArity.ZeroOrMore };
        command.Add(words);
        command.SetAction(async (result, cancellationToken) =>
        {
            foreach (var word in await FindAsync(result.RootCommandResult.Command, result.GetValue(words) ?? [], cancellationToken))
                await result.InvocationConfiguration.Output.WriteLineAsync(word);
            return 0;
        });
        return command;
    }

    private static async Task<IEnumerable<string>> FindAsync(Command root, string[] words, CancellationToken cancellationToken)
    {
        if (words is not [.. var before, var last])
            return [];
        var command = before.Length == 0 ? root : root.Subcommands.FirstOrDefault(one => one.Name == before[0]) ?? root;

        // Behind "--" stands another command line.
        if (before.Contains("--") || (before.Length > 0 && TakesValue(command, before[^1])))
            return [];
        if (last.StartsWith('-'))
            return Matching(command.Options.Where(static option => !option.Hidden).Select(static option => option.Name), last);
        if (before.Length == 0)
            return Matching(root.Subcommands.Where(static one => !one.Hidden).Select(static one => one.Name), last);
        if (command.Name == "completion")
            return Matching(Consoles.CompletionScripts.Shells, last);
        return WithSession.Contains(command.Name) ? Matching(await SessionsAsync(before, cancellationToken), last) : [];
    }

    private static IEnumerable<string> Matching(IEnumerable<string> all, string start) => all.Where(one => one.StartsWith(start, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static bool TakesValue(Command command, string word) =>
        command.Options.FirstOrDefault(option => option.Name == word || option.Aliases.Contains(word)) is { } option && option.ValueType != typeof(bool) && option.Arity.MinimumNumberOfValues > 0;

    private static async Task<IEnumerable<string>> SessionsAsync(string[] words, CancellationToken cancellationToken)
    {
        var device = Array.IndexOf(words, "--device");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await using var opened = await DeviceOptions.TryOpenQuicklyAsync(device >= 0 && device + 1 < words.Length ? words[device + 1] : null, patience.Token);
            if (opened is null)
                return [];
            var sessions = await opened.Client.ListAsync(patience.Token);
            return sessions.Select(static session => session.Name ?? session.Id);
        }
        catch (Exception e) when (e is LinkException or OperationCanceledException or FormatException or IOException)
        {
            return [];
        }
    }
}
