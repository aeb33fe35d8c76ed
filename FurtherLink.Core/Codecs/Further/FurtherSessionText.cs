using System.Text.Encodings.Web;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Spells what clients are told of sessions, the value of "data".</summary>
internal static class FurtherSessionText
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>started, where the client knows sessions.</summary>
    public static void WriteStarted(FrameWriter output, Started started) => Write(output, started, static (json, started) =>
    {
        WriteInfo(json, "session", started.Session);
        json.WriteNumber("member", started.Member);
    });

    /// <summary>attached.</summary>
    public static void WriteAttached(FrameWriter output, Attached attached) => Write(output, attached, static (json, attached) =>
    {
        WriteInfo(json, "session", attached.Session);
        json.WriteNumber("from", attached.Offset);
        json.WriteString("mode", ModeOf(attached.Access));
        json.WriteNumber("member", attached.Member);
        json.WriteNumber("seq", attached.LastInput);
        if (attached.Screen is { } screen)
            json.WriteString("screen", screen.Span);
    });

    /// <summary>sessions: the answer to list.</summary>
    public static void WriteSessions(FrameWriter output, IReadOnlyList<SessionInfo> sessions) => Write(output, sessions, static (json, sessions) =>
    {
        json.WriteStartArray("sessions");
        foreach (var session in sessions)
            WriteInfo(json, null, session);
        json.WriteEndArray();
    });

    /// <summary>presence.</summary>
    public static void WritePresence(FrameWriter output, IReadOnlyList<MemberInfo> members) => Write(output, members, static (json, members) =>
    {
        json.WriteStartArray("members");
        foreach (var member in members)
        {
            json.WriteStartObject();
            json.WriteNumber("member", member.Id);
            json.WriteString("name", member.Name);
            json.WriteString("mode", ModeOf(member.Access));
            json.WriteBoolean("drives", member.Drives);
            json.WriteBoolean("requests", member.Requests);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>resized: the terminal has another size.</summary>
    public static void WriteSize(FrameWriter output, TerminalSize size) => Write(output, size, static (json, size) =>
    {
        json.WriteNumber("rows", size.Rows);
        json.WriteNumber("cols", size.Columns);
    });

    /// <summary>detached.</summary>
    public static void WriteDetached(FrameWriter output, Detached detached) => Write(output, detached, static (json, detached) =>
        json.WriteString("reason", detached.Reason));

    /// <summary>ack: numbered input that the program has taken.</summary>
    public static void WriteInputTaken(FrameWriter output, InputTaken taken) => Write(output, taken, static (json, taken) =>
        json.WriteNumber("seq", taken.Mark.Sequence));

    /// <summary>hello: what a client has to know of the server.</summary>
    public static void WriteHello(FrameWriter output, HelloAnswer hello) => Write(output, hello, static (json, hello) =>
    {
        json.WriteString("version", hello.Version);
        json.WriteStartArray("extensions");
        foreach (var name in FurtherExtensionNames.All)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteNumber("inputCapacity", hello.InputCapacity);
        json.WriteNumber("maxMessage", hello.MaxMessage);
    });

    /// <summary>What answers a question about who may connect.</summary>
    public static void WriteAccess(FrameWriter output, object answer) => Write(output, answer, FurtherAccess.WriteAnswer);

    /// <summary>upload: how far an upload in pieces is.</summary>
    public static void WriteUpload(FrameWriter output, UploadState upload) => Write(output, upload, static (json, upload) =>
    {
        json.WriteString("upload", upload.Upload);
        json.WriteNumber("bytes", upload.Bytes);
    });

    private static string ModeOf(Access access) => access >= Access.Drive ? "drive" : "view";

    private static void WriteInfo(Utf8JsonWriter json, string? name, SessionInfo session)
    {
        if (name is null)
            json.WriteStartObject();
        else
            json.WriteStartObject(name);
        json.WriteString("id", session.Id);
        json.WriteString("name", session.Name);
        json.WriteString("runner", session.Runner);
        json.WriteNumber("pid", session.ProcessId);
        json.WriteString("user", session.User);
        json.WriteString("directory", session.WorkingDirectory);
        if (session.Terminal is { } size)
        {
            json.WriteStartObject("terminal");
            json.WriteNumber("rows", size.Rows);
            json.WriteNumber("cols", size.Columns);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("terminal");
        }

        json.WriteString("created", session.Created);
        json.WriteNumber("members", session.Members);
        if (session.Exit is { } exit)
            json.WriteNumber("exitCode", exit.Code);
        else
            json.WriteNull("exitCode");
        json.WriteNumber("end", session.End);
        json.WriteEndObject();
    }

    private static void Write<T>(FrameWriter output, T message, Action<Utf8JsonWriter, T> write)
    {
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        write(json, message);
        json.WriteEndObject();
    }
}
