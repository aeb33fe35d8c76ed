using System.CommandLine;
using System.CommandLine.Invocation;

namespace FurtherLink.Host.Commands;

/// <summary>The command line "furtherlink": its commands, and what it does without one, which is to serve.</summary>
internal static class FurtherLinkCommand
{
    /// <summary>Makes it.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand("Runs code, shells and programs on this device for clients that connect by WebSocket, pipe or socket, and on devices for you. Without a command it serves.");
        root.Directives.Clear();
        foreach (var option in root.Options.OfType<VersionOption>())
            option.Action = new PrintVersion();
        var serve = ServeCommand.Create();
        root.Add(RunCommand.Create());
        root.Add(AttachCommand.Create());
        root.Add(ListCommand.Create());
        root.Add(LogsCommand.Create());
        root.Add(StopCommand.Create());
        root.Add(UploadCommand.Create());
        root.Add(serve);
        foreach (var option in serve.Options)
            root.Add(option);
        root.Action = serve.Action;
        root.Add(CertificateCommand.Create());
        root.Add(ConnectCommand.Create());
        root.Add(StdioCommand.Create());
        root.Add(TokenCommand.Create());
        root.Add(PairCommand.Create());
        root.Add(RestartCommand.Create());
        root.Add(HoldCommand.Create());
        root.Add(CompletionCommand.Create());
        root.Add(CompleteCommand.Create());
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
