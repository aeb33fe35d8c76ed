using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// Spells server messages: one text frame each, keys in Further-Link's order, with its separators. Names and words are ASCII with
/// escapes as Python writes them; what programs print is UTF-8. Used by one thread at a time, except <see cref="Ask"/> and what decoding uses.
/// </summary>
internal sealed class FurtherWriter
{
    // Room for the longest beginning of a frame, so that a body with text of a known length lies in one piece.
    private const int HeadRoom = 64;

    private static readonly AttachOptions PlainOptions = AttachOptions.Default with { Gather = new GatherOptions { UntilInput = true } };
    private static readonly AttachOptions PythonOptions = AttachOptions.Default with { Gather = new GatherOptions { Quiet = TimeSpan.FromMilliseconds(5) } };

    private readonly bool _named;
    private volatile byte[] _tail;
    private volatile FurtherExtensions _extensions;

    private FurtherWriter(string tail, bool named, bool lossless)
    {
        _tail = Encoding.ASCII.GetBytes(tail);
        _named = named;
        Lossless = lossless;
    }

    /// <summary>For /run: {"type", "data", "client", "process"}.</summary>
    public static FurtherWriter ForRun(string client, bool lossless) => new(TailOf(client), named: true, lossless);

    /// <summary>For /run-py: {"type", "data", "process"}, the last always empty.</summary>
    public static FurtherWriter ForRunPy(bool lossless) => new(", \"process\": \"\"", named: false, lossless);

    /// <summary>
    /// How a client gets the output of a program. Clients of Further-Link, which ask for no extension, know as one message what is printed
    /// together: the output of a short program, and a line that Python writes in pieces.
    /// </summary>
    public AttachOptions OptionsFor(string runner)
    {
        var options = _extensions != FurtherExtensions.None ? AttachOptions.Default : runner == "python3" ? PythonOptions : PlainOptions;
        var text = !Knows(FurtherExtensions.Bytes);
        return text && Lossless ? options : options with { Text = text, Lossless = Lossless };
    }

    /// <summary>Whether programs wait for the client where it says nothing else. Used by the thread that decodes.</summary>
    public bool Lossless { get; set; }

    /// <summary>Whether the client acknowledges output.</summary>
    public bool Acknowledges => Knows(FurtherExtensions.Ack);

    /// <summary>Also writes what only clients get that asked for it.</summary>
    public void Ask(FurtherExtensions extensions) => _extensions |= extensions;

    /// <summary>Another text is given back as "client" from now on. Any thread.</summary>
    public void Label(string client) => _tail = Encoding.ASCII.GetBytes(TailOf(client));

    /// <summary>Writes a message, or nothing where the client knows no such thing.</summary>
    public void Write(ServerMessage message, FrameWriter output)
    {
        switch (message)
        {
            case Output chunk:
                WriteOutput(output, chunk);
                break;
            case Pong:
                WriteBare(output, "pong"u8, null, message.Ref);
                break;
            case Started started when _named && Knows(FurtherExtensions.Sessions):
                Begin(output, "started"u8, 0);
                FurtherSessionText.WriteStarted(output, started);
                End(output, started.Name, message.Ref);
                break;
            case Started started:
                WriteBare(output, "started"u8, started.Name, message.Ref);
                break;
            case Attached attached when _named:
                Begin(output, "attached"u8, attached.Screen?.Length ?? 0);
                FurtherSessionText.WriteAttached(output, attached);
                End(output, attached.Name, message.Ref);
                break;
            case Exited exited:
                WriteExited(output, exited);
                break;
            case Failed failed:
                WriteFailed(output, failed);
                break;
            case Notice notice:
                WriteNotice(output, notice);
                break;
            case Missed missed when Knows(FurtherExtensions.Missed | FurtherExtensions.Sessions):
                Begin(output, "missed"u8, 0);
                output.Write("{\"from\": "u8);
                WriteNumber(output, missed.From);
                output.Write(", \"to\": "u8);
                WriteNumber(output, missed.To);
                output.Write("}"u8);
                End(output, missed.Name);
                break;
            case Result { Call: "sessions.list", Body: IReadOnlyList<SessionInfo> sessions } when _named:
                Begin(output, "sessions"u8, 0);
                FurtherSessionText.WriteSessions(output, sessions);
                End(output, null, message.Ref);
                break;
            case Result { Call: "device.hello", Body: HelloAnswer hello } when _named:
                Begin(output, "hello"u8, 0);
                FurtherSessionText.WriteHello(output, hello);
                End(output, null, message.Ref);
                break;
            case Result { Body: { } answer } when FurtherAccess.TypeOf(answer) is { } type:
                Begin(output, Encoding.ASCII.GetBytes(type), 0);
                FurtherSessionText.WriteAccess(output, answer);
                End(output, null, message.Ref);
                break;
            case Result { Body: UploadState upload } when _named:
                Begin(output, "upload"u8, 0);
                FurtherSessionText.WriteUpload(output, upload);
                End(output, null, message.Ref);
                break;
            case Result { Body: UploadDone done } when _named:
                Begin(output, "uploaded"u8, 0);
                output.Write(done.FetchedUrls ? "{\"fetchedUrls\": true}"u8 : "{\"fetchedUrls\": false}"u8);
                End(output, null, message.Ref);
                break;
            case Result { Call: FurtherErrors.Upload } when !_named:
                WriteBare(output, "uploaded"u8, null, null);
                break;
            // What is mostly not answered: who gives it a ref wants to know.
            case Result { Ref: not null }:
                WriteBare(output, "done"u8, null, message.Ref);
                break;
        }
    }

    private void WriteOutput(FrameWriter output, Output chunk)
    {
        var type = chunk.Kind == OutputKind.Error ? "stderr"u8 : "stdout"u8;
        var data = chunk.Data.Span;
        if (Knows(FurtherExtensions.Bytes) && !Utf8.IsValid(data))
        {
            var length = Base64.GetMaxEncodedToUtf8Length(data.Length);
            Begin(output, type, length);
            output.Write("{\"base64\": \""u8);
            Base64.EncodeToUtf8(data, output.GetSpan(length), out _, out var written);
            output.Advance(written);
        }
        else
        {
            Begin(output, type, data.Length);
            output.Write("{\"output\": \""u8);
            JsonText.Write(output, data);
        }

        output.Write("\""u8);
        if (Knows(FurtherExtensions.Offsets))
            WriteOffsets(output, chunk);
        output.Write("}"u8);
        End(output, chunk.Name);
    }

    private void WriteExited(FrameWriter output, Exited exited)
    {
        Begin(output, "stopped"u8, 0);
        output.Write("{\"exitCode\": "u8);
        WriteNumber(output, exited.Status.Code);
        if (exited.Status.Reason is { } reason)
            WriteText(output, ", \"reason\": \""u8, reason);
        output.Write("}"u8);
        End(output, exited.Name);
    }

    private void WriteFailed(FrameWriter output, Failed failed)
    {
        Begin(output, "error"u8, 0);
        WriteText(output, "{\"message\": \""u8, FurtherErrors.TextOf(failed));
        WriteText(output, ", \"detail\": \""u8, failed.Detail);
        if (!string.IsNullOrEmpty(failed.Name))
            WriteText(output, ", \"process\": \""u8, failed.Name);
        if (failed.Ref is not null)
            WriteText(output, ", \"code\": \""u8, FurtherErrors.CodeOf(failed.Code));
        output.Write("}"u8);
        // Never the process: clients of Further-Link do not expect it there.
        End(output, null, failed.Ref);
    }

    private void WriteNotice(FrameWriter output, Notice notice)
    {
        switch (notice)
        {
            case { Topic: "video", Body: string frame }:
                Begin(output, "video"u8, frame.Length);
                output.Write("{\"output\": \""u8);
                JsonText.Write(output, frame);
                output.Write("\"}"u8);
                End(output, notice.Name);
                break;
            case { Topic: "video", Body: ReadOnlyMemory<byte> frame }:
                Begin(output, "video"u8, frame.Length);
                output.Write("{\"output\": \""u8);
                JsonText.Write(output, frame.Span);
                output.Write("\"}"u8);
                End(output, notice.Name);
                break;
            case { Topic: "keylisten", Body: string key }:
                Begin(output, "keylisten"u8, 0);
                // "key" is what Further-Link's documents say, "output" what it sends.
                WriteText(output, "{\"output\": \""u8, key);
                WriteText(output, ", \"key\": \""u8, key);
                output.Write("}"u8);
                End(output, notice.Name);
                break;
            case { Topic: "novnc", Body: DisplayAddress address } when _named:
                Begin(output, "novnc"u8, 0);
                output.Write("{\"port\": "u8);
                WriteNumber(output, address.Port);
                WriteText(output, ", \"path\": \""u8, address.Path);
                output.Write("}"u8);
                End(output, notice.Name);
                break;
            case { Topic: "presence", Body: IReadOnlyList<MemberInfo> members } when Knows(FurtherExtensions.Sessions):
                Begin(output, "presence"u8, 0);
                FurtherSessionText.WritePresence(output, members);
                End(output, notice.Name);
                break;
            case { Topic: "resize", Body: TerminalSize size } when Knows(FurtherExtensions.Sessions):
                Begin(output, "resized"u8, 0);
                FurtherSessionText.WriteSize(output, size);
                End(output, notice.Name);
                break;
            case { Topic: "spill", Body: SpillStopped stopped } when Knows(FurtherExtensions.Sessions):
                Begin(output, "spill"u8, 0);
                WriteText(output, "{\"reason\": \""u8, stopped.Reason);
                output.Write("}"u8);
                End(output, notice.Name);
                break;
            case { Topic: "detached", Body: Detached detached } when _named:
                Begin(output, "detached"u8, 0);
                FurtherSessionText.WriteDetached(output, detached);
                End(output, notice.Name, notice.Ref);
                break;
            case { Topic: "input", Body: InputTaken taken } when _named:
                Begin(output, "ack"u8, 0);
                FurtherSessionText.WriteInputTaken(output, taken);
                End(output, notice.Name, notice.Ref);
                break;
        }
    }

    private static string TailOf(string client)
    {
        var text = new ArrayBufferWriter<byte>();
        JsonText.WriteAscii(text, client);
        return $", \"client\": \"{Encoding.ASCII.GetString(text.WrittenSpan)}\", \"process\": ";
    }

    // Not by HasFlag, which allocates until the method has been optimised.
    private bool Knows(FurtherExtensions oneOf) => (_extensions & oneOf) != FurtherExtensions.None;

    private static void WriteOffsets(FrameWriter output, Output chunk)
    {
        output.Write(", \"from\": "u8);
        WriteNumber(output, chunk.Offset);
        output.Write(", \"to\": "u8);
        WriteNumber(output, chunk.Next);
    }

    private void WriteBare(FrameWriter output, ReadOnlySpan<byte> type, string? name, string? reference)
    {
        Begin(output, type, 0);
        output.Write("null"u8);
        End(output, name, reference);
    }

    private void Begin(FrameWriter output, ReadOnlySpan<byte> type, int textLength)
    {
        // A line end or two in sixteen bytes fit, the same allowance as that of the text.
        output.Begin(FrameKind.Text, HeadRoom + textLength + (textLength / 8) + _tail.Length + HeadRoom);
        output.Write("{\"type\": \""u8);
        output.Write(type);
        output.Write("\", \"data\": "u8);
    }

    private void End(FrameWriter output, string? name, string? reference = null)
    {
        output.Write(_tail);
        if (_named && name is null)
            output.Write("null"u8);
        else if (_named)
            WriteText(output, "\""u8, name);
        if (reference is not null)
            WriteText(output, ", \"ref\": \""u8, reference);
        output.Write("}"u8);
        output.End();
    }

    private static void WriteText(FrameWriter output, ReadOnlySpan<byte> before, ReadOnlySpan<char> text)
    {
        output.Write(before);
        JsonText.WriteAscii(output, text);
        output.Write("\""u8);
    }

    private static void WriteNumber(FrameWriter output, long value)
    {
        // 20: a sign and 19 digits.
        value.TryFormat(output.GetSpan(20), out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }
}
