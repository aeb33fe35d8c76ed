using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>Sessions as "furtherlink list" prints them.</summary>
internal static class SessionListText
{
    private static readonly string[] Heads = ["SESSION", "NAME", "RUNNER", "STARTED", "STATE", "MEMBERS"];

    /// <summary>For people: a line each, in columns.</summary>
    public static string Table(IReadOnlyList<SessionInfo> sessions) =>
        TextTable.Format(Heads, sessions.Select(Row));

    /// <summary>For scripts: a JSON array with an object each, on one line.</summary>
    public static string Json(IReadOnlyList<SessionInfo> sessions)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartArray();
            foreach (var session in sessions)
                Write(json, session);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static string[] Row(SessionInfo session) =>
    [
        session.Id, session.Name ?? "-", session.Runner, $"{session.Created.ToLocalTime():yyyy-MM-dd HH:mm:ss}", StateOf(session), session.Members.ToString(),
    ];

    private static string StateOf(SessionInfo session) => session.Exit switch
    {
        null => "running",
        { Signal: { } signal } => $"signal {signal}",
        { Code: var code } => $"exit {code}",
    };

    private static void Write(Utf8JsonWriter json, SessionInfo session)
    {
        json.WriteStartObject();
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
        json.WriteBoolean("running", session.Exit is null);
        if (session.Exit is { } exit)
            json.WriteNumber("exitCode", exit.Code);
        else
            json.WriteNull("exitCode");
        json.WriteNumber("members", session.Members);
        json.WriteNumber("end", session.End);
        json.WriteEndObject();
    }
}
