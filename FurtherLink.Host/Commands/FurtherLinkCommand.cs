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
        if (all)
        {
            root.Add(RunCommand.Create());
            root.Add(AttachCommand.Create());
            root.Add(ListCommand.Create());
            root.Add(LogsCommand.Create());
            root.Add(StopCommand.Create());
            root.Add(UploadCommand.Create());
        }

        root.Add(serve);
        foreach (var option in serve.Options)
            root.Add(option);
        root.Action = serve.Action;
        if (all)
        {
            root.Add(CertificateCommand.Create());
            root.Add(ConnectCommand.Create());
            root.Add(StdioCommand.Create());
            root.Add(TokenCommand.Create());
            root.Add(PairCommand.Create());
            root.Add(RestartCommand.Create());
            root.Add(HoldCommand.Create());
            root.Add(CompletionCommand.Create());
            root.Add(CompleteCommand.Create());
        }

        return root;
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(ProductVersion.Text);
            return 0;
        }
    }
}
