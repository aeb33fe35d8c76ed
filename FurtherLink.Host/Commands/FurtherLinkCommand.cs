using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace FurtherLink.Host.Commands;

/// <summary>The command line "furtherlink": its commands, and what it does without one, which is to serve.</summary>
internal static class FurtherLinkCommand
{
    /// <summary>Reads a command line.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments)
    {
        // Making every command takes a noticeable part of a server's start: one that serves needs one.
        if (arguments.Count == 0 || arguments[0] == ServeCommand.Name || arguments[0].StartsWith("--", StringComparison.Ordinal))
        {
            var serving = Create(all: false).Parse(arguments);
            if (serving.Errors.Count == 0 && serving.Action is not HelpAction)
                return serving;
        }

        return Create(all: true).Parse(arguments);
    }

    private static RootCommand Create(bool all)
    {
        var root = new RootCommand("Runs code, shells and programs on this device for clients that connect by WebSocket, pipe or socket, and on devices for you. Without a command it serves.");
        root.Directives.Clear();
        foreach (var option in root.Options.OfType<VersionOption>())
            option.Action = new PrintVersion();
        var serve = ServeCommand.Create();
        foreach (var command in all ? All(serve) : [serve])
            root.Add(command);
        foreach (var option in serve.Options)
            root.Add(option);
        root.Action = serve.Action;
        return root;
    }

    /// <summary>All commands, in the order of the help.</summary>
    private static Command[] All(Command serve) =>
    [
        RunCommand.Create(), AttachCommand.Create(), ListCommand.Create(), LogsCommand.Create(), StopCommand.Create(), UploadCommand.Create(), serve, CertificateCommand.Create(),
        ConnectCommand.Create(), StdioCommand.Create(), TokenCommand.Create(), PairCommand.Create(), RestartCommand.Create(), HoldCommand.Create(), CompletionCommand.Create(),
        CompleteCommand.Create(),
    ];

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(ProductVersion.Text);
            return 0;
        }
    }
}
