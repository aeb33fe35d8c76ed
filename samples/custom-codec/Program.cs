using System.Diagnostics.CodeAnalysis;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Messages;

// A dialect of one's own: each message is a command of the shell, each answer a piece of what it prints, and at the end its exit code.
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddFurtherLink().AddStandardRunners().AddWebSockets().AddCodec("commands", _ => new CommandCodec());
var app = builder.Build();
app.MapFurtherLink();
app.MapWebSocket("/commands", codec: "commands");
app.Run();

/// <summary>Spells the dialect. It only spells: sessions, output and rights are the server's.</summary>
internal sealed class CommandCodec : IMessageCodec
{
    // Sessions have names on a connection; here the client need not know them.
    private int _last;

    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
    {
        message = null;
        if (frame.Kind == FrameKind.Close)
            return false;
        var command = Encoding.UTF8.GetString(frame.Body).Trim();
        if (command.Length == 0)
            throw new LinkException(FailureCode.BadMessage, "say a command");
        message = new Start($"{++_last}", new RunRequest("program") { Arguments = ["sh", "-c", command] });
        return true;
    }

    public void Encode(ServerMessage message, FrameWriter output)
    {
        // The others say nothing that this dialect has a word for.
        if (message is Output printed)
            output.Write(FrameKind.Text, printed.Data.Span);
        else if (message is Exited exited)
            output.Write(FrameKind.Text, Encoding.UTF8.GetBytes($"[{exited.Name}: exit code {exited.Status.Code}]"));
        else if (message is Failed failed)
            output.Write(FrameKind.Text, Encoding.UTF8.GetBytes($"[error: {failed.Detail}]"));
    }
}
