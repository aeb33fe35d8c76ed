using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Spells what clients ask for: one text frame each. Thread safe.</summary>
internal static class FurtherClientWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a message.</summary>
    /// <exception cref="LinkException">The dialect has no word for it.</exception>
    public static void Write(ClientMessage message, FrameWriter output)
    {
        if (message is Input input)
        {
            WriteInput(input, output);
            return;
        }

        var (type, name) = Head(message);
        output.Begin(FrameKind.Text);
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            if (name is not null)
                json.WriteString("process", name);
            json.WriteStartObject("data");
            WriteData(json, message);
            json.WriteEndObject();
            if (message.Ref is not null)
                json.WriteString("ref", message.Ref);
            json.WriteEndObject();
        }

        output.End();
    }

    private static (string Type, string? Name) Head(ClientMessage message) => message switch
    {
        Ping => ("ping", null),
        Start start => ("start", start.Name),
        Attach attach => ("attach", attach.Name),
        Detach detach => ("detach", detach.Name),
        Stop stop => ("stop", stop.Name),
        Acknowledge acknowledge => ("ack", acknowledge.Name),
        Control control => (ControlType(control.Action), control.Name),
        Call { Name: "device.hello", Body: Hello } => ("hello", null),
        Call { Name: "auth.login", Body: Login } => ("auth", null),
        Call { Name: "pairing.pair", Body: PairRequest } => ("pair", null),
        Call { Name: "pairing.open", Body: TokenTerms } => ("pairingOpen", null),
        Call { Name: "pairing.wait" } => ("pairingWait", null),
        Call { Name: "sessions.list" } => ("list", null),
        Call { Name: "sessions.request" } call => ("request", call.Session),
        Call { Name: "sessions.grant", Body: int } call => ("grant", call.Session),
        Call { Name: "sessions.take" } call => ("take", call.Session),
        Call { Name: "files.uploadBegin", Body: UploadBegin } => ("uploadBegin", null),
        Call { Name: "files.uploadFile", Body: UploadPiece } => ("uploadFile", null),
        Call { Name: "files.uploadEnd", Body: UploadEnd } => ("uploadEnd", null),
        Call { Name: "files.uploadCancel", Body: UploadEnd } => ("uploadCancel", null),
        _ => throw Unknown(message),
    };

    private static string ControlType(SessionControl action) => action switch
    {
        Resize => "resize",
        Key => "keyevent",
        Signal => "signal",
        EndOfInput => "stdin",
        _ => throw new LinkException(FailureCode.NotSupported, $"this dialect has no word for {action.GetType().Name}"),
    };

    private static LinkException Unknown(ClientMessage message) =>
        new(FailureCode.NotSupported, $"this dialect has no word for {(message as Call)?.Name ?? message.GetType().Name}");

    private static void WriteData(Utf8JsonWriter json, ClientMessage message)
    {
        switch (message)
        {
            case Start start:
                WriteRequest(json, start.Request);
                WriteOptions(json, start.Options);
                break;
            case Attach attach:
                json.WriteString("session", attach.Session);
                if (attach.Options.From is { } from)
                    json.WriteNumber("from", from);
                else
                    json.WriteString("from", "now");
                json.WriteString("mode", attach.Options.Access >= Access.Drive ? "drive" : "view");
                json.WriteBoolean("screen", attach.Options.Screen);
                WriteOptions(json, attach.Options);
                break;
            case Acknowledge acknowledge:
                json.WriteNumber("offset", acknowledge.Offset);
                break;
            case Control { Action: Resize resize }:
                json.WriteNumber("rows", resize.Size.Rows);
                json.WriteNumber("cols", resize.Size.Columns);
                break;
            case Control { Action: Key key }:
                json.WriteString("key", key.Name);
                json.WriteString("event", key.Event);
                break;
            case Control { Action: Signal signal }:
                json.WriteNumber("signal", signal.Number);
                break;
            case Control { Action: EndOfInput }:
                json.WriteBoolean("end", true);
                break;
            case Call { Body: Hello hello }:
                WriteHello(json, hello);
                break;
            case Call { Body: Login login }:
                FurtherAccess.Write(json, login);
                break;
            case Call { Body: PairRequest pair }:
                json.WriteString("code", pair.Code);
                json.WriteString("name", pair.Name);
                break;
            case Call { Body: TokenTerms terms }:
                FurtherAccess.Write(json, terms);
                break;
            case Call { Body: UploadBegin upload }:
                json.WriteString("name", upload.Name);
                if (upload.User is not null)
                    json.WriteString("user", upload.User);
                break;
            case Call { Body: UploadPiece piece }:
                json.WriteString("upload", piece.Upload);
                json.WriteString("path", piece.Path);
                json.WriteBase64String("base64", piece.Content.Span);
                if (piece.Executable)
                    json.WriteBoolean("executable", true);
                break;
            case Call { Body: UploadEnd upload }:
                json.WriteString("upload", upload.Upload);
                break;
            case Call { Name: "sessions.grant", Body: int member }:
                json.WriteNumber("member", member);
                break;
        }
    }

    private static void WriteHello(Utf8JsonWriter json, Hello hello)
    {
        json.WriteStartArray("extensions");
        foreach (var extension in hello.Extensions)
            json.WriteStringValue(extension);
        json.WriteEndArray();
        if (hello.Label is not null)
            json.WriteString("client", hello.Label);
    }

    private static void WriteOptions(Utf8JsonWriter json, AttachOptions options)
    {
        if (options.Window is { } window)
            json.WriteNumber("window", window);
        if (options.ClientId is not null)
            json.WriteString("clientId", options.ClientId);
        json.WriteString("delivery", options.Lossless ? "lossless" : "latest");
        if (options.Patient)
            json.WriteBoolean("patient", true);
    }

    private static void WriteRequest(Utf8JsonWriter json, RunRequest request)
    {
        json.WriteString("runner", request.Runner);
        if (request.Code is not null)
            json.WriteString("code", request.Code);
        if (request.Path is not null)
            json.WriteString("path", request.Path);
        if (request.User is not null)
            json.WriteString("user", request.User);
        if (request.Arguments.Count > 0)
        {
            json.WriteStartArray("args");
            foreach (var argument in request.Arguments)
                json.WriteStringValue(argument);
            json.WriteEndArray();
        }

        if (request.Environment.Count > 0)
        {
            json.WriteStartObject("env");
            foreach (var (name, value) in request.Environment)
                json.WriteString(name, value);
            json.WriteEndObject();
        }

        WriteTerminal(json, request.Terminal);
        if (request.Display is { } display)
        {
            json.WriteStartObject("novncOptions");
            json.WriteBoolean("enabled", true);
            if (display.Width is { } width)
                json.WriteNumber("width", width);
            if (display.Height is { } height)
                json.WriteNumber("height", height);
            json.WriteEndObject();
        }

        WriteSession(json, request);
    }

    private static void WriteTerminal(Utf8JsonWriter json, TerminalSize? terminal)
    {
        if (terminal is not { } size)
        {
            json.WriteBoolean("terminal", false);
            return;
        }

        json.WriteStartObject("terminal");
        json.WriteNumber("rows", size.Rows);
        json.WriteNumber("cols", size.Columns);
        json.WriteEndObject();
    }

    private static void WriteSession(Utf8JsonWriter json, RunRequest request)
    {
        var session = request.Session;
        json.WriteStartObject("session");
        json.WriteString("whenDetached", session.WhenDetached switch
        {
            WhenDetached.Keep => "keep",
            WhenDetached.Pause => "pause",
            _ => "stop",
        });
        if (session.Grace > TimeSpan.Zero)
            json.WriteNumber("grace", session.Grace.TotalSeconds);
        if (request.SessionId is not null)
            json.WriteString("id", request.SessionId);
        if (session.Name is not null)
            json.WriteString("name", session.Name);
        json.WriteString("size", session.Size switch
        {
            SizePolicy.Smallest => "smallest",
            SizePolicy.Fixed => "fixed",
            _ => "driver",
        });
        if (session.AllDrive)
            json.WriteBoolean("allDrive", true);
        if (session.RecordInput)
            json.WriteBoolean("recordInput", true);
        json.WriteEndObject();
    }

    // By hand: what people type and pipe in is most of what a client says.
    private static void WriteInput(Input input, FrameWriter output)
    {
        output.Begin(FrameKind.Text, (int)Math.Min(input.Data.Length * 2, 64 * 1024));
        output.Write("{\"type\":\"stdin\",\"process\":\""u8);
        JsonText.WriteAscii(output, input.Name);
        output.Write("\",\"data\":{"u8);
        if (!input.Data.IsEmpty)
        {
            WriteBytes(input.Data, output);
            if (input.End)
                output.Write(","u8);
        }

        if (input.End)
            output.Write("\"end\":true"u8);
        if (input.Sequence is { } sequence)
        {
            output.Write(",\"seq\":"u8);
            sequence.TryFormat(output.GetSpan(20), out var written, default, CultureInfo.InvariantCulture);
            output.Advance(written);
        }

        output.Write("}"u8);
        if (input.Ref is not null)
        {
            output.Write(",\"ref\":\""u8);
            JsonText.WriteAscii(output, input.Ref);
            output.Write("\""u8);
        }

        output.Write("}"u8);
        output.End();
    }

    private static void WriteBytes(in ReadOnlySequence<byte> data, FrameWriter output)
    {
        var isText = JsonText.IsUtf8(data);
        output.Write(isText ? "\"input\":\""u8 : "\"base64\":\""u8);
        if (isText && data.IsSingleSegment)
        {
            JsonText.Write(output, data.FirstSpan);
        }
        else
        {
            var rented = ArrayPool<byte>.Shared.Rent((int)data.Length);
            data.CopyTo(rented);
            var bytes = rented.AsSpan(0, (int)data.Length);
            if (isText)
                JsonText.Write(output, bytes);
            else
                WriteBase64(output, bytes);
            ArrayPool<byte>.Shared.Return(rented);
        }

        output.Write("\""u8);
    }

    private static void WriteBase64(FrameWriter output, ReadOnlySpan<byte> bytes)
    {
        // Thirds of bytes to quarters of characters: pieces that are a multiple of 3 need no padding between them.
        const int Piece = 3 * 4096;
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(bytes.Length, Piece)];
            Base64.EncodeToUtf8(piece, output.GetSpan(Base64.GetMaxEncodedToUtf8Length(piece.Length)), out _, out var written);
            output.Advance(written);
            bytes = bytes[piece.Length..];
        }
    }
}
