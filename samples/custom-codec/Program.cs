using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Messages;

// A dialect of one's own: a message is a command for the shell, and is answered by the lines that it prints, each a message.
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddFurtherLink().AddStandardRunners().AddWebSockets().AddCodec("commands", _ => new CommandsCodec());
var app = builder.Build();
app.MapWebSocket("/commands", codec: "commands");
app.Run();

/// <summary>
/// The dialect's spelling, of one connection. A command gets the next number, which stands before each line of its answer: "1: Hello", and at its end
/// "1 ended with 0".
/// </summary>
internal sealed class CommandsCodec : IMessageCodec
{
    private const int LongestLine = 64 * 1024;

    // What has been printed of a line that has not ended, by number.
    private readonly Dictionary<string, ArrayBufferWriter<byte>> _begun = [];
    private int _last;

    /// <inheritdoc/>
    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
    {
        message = null;
        if (frame.Kind == FrameKind.Close)
            return false;

        // Both streams go into one, in their order.
        var command = $"exec 2>&1\n{Encoding.UTF8.GetString(frame.Body)}";
        message = new Start($"{++_last}", new RunRequest("program") { Arguments = ["sh", "-c", command] });
        return true;
    }

    /// <inheritdoc/>
    public void Encode(ServerMessage message, FrameWriter output)
    {
        switch (message)
        {
            case Output printed:
                Print(printed.Name, printed.Data.Span, output);
                break;
            case Missed missed:
                Say($"{missed.Name} missed {missed.To - missed.From} bytes", output);
                break;
            case Exited exited:
                if (_begun.Remove(exited.Name, out var rest) && rest.WrittenCount > 0)
                    EndLine(exited.Name, rest, output);
                Say($"{exited.Name} ended with {exited.Status.Code}", output);
                break;
            case Failed failed:
                Say($"{failed.Name} failed: {failed.Detail}".TrimStart(), output);
                break;
        }
    }

    private void Print(string name, ReadOnlySpan<byte> text, FrameWriter output)
    {
        if (!_begun.TryGetValue(name, out var line))
            _begun[name] = line = new ArrayBufferWriter<byte>();
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var piece = end < 0 ? text : text[..end];
            piece = piece[..Math.Min(piece.Length, LongestLine - line.WrittenCount)];
            line.Write(piece);
            text = text[piece.Length..];
            if (text is [(byte)'\n', ..])
                text = text[1..];
            else if (line.WrittenCount < LongestLine)
                break;
            EndLine(name, line, output);
        }
    }

    private static void EndLine(string name, ArrayBufferWriter<byte> line, FrameWriter output)
    {
        output.Begin(FrameKind.Text);
        output.Write(Encoding.UTF8.GetBytes($"{name}: "));
        output.Write(line.WrittenSpan);
        output.End();
        line.ResetWrittenCount();
    }

    private static void Say(string words, FrameWriter output) => output.Write(FrameKind.Text, Encoding.UTF8.GetBytes(words));
}
