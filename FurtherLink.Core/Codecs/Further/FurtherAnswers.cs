using System.Buffers;
using System.Text;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Reads all that clients are told but output: everything that is rare.</summary>
internal static class FurtherAnswers
{
    /// <summary>Reads a message.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="data">Its data, JSON; empty where it has none.</param>
    /// <param name="name">The client's name of the session that it is about; null where it is about none.</param>
    /// <param name="reference">What it answers; null where it answers nothing.</param>
    /// <returns>Null where the type is unknown.</returns>
    public static ServerMessage? Read(string type, in ReadOnlySequence<byte> data, string? name, string? reference)
    {
        using var document = data.IsEmpty ? null : JsonDocument.Parse(data);
        var message = Read(type, document?.RootElement ?? default, name);
        if (message is not null)
            message.Ref = reference;
        return message;
    }

    private static ServerMessage? Read(string type, JsonElement data, string? name) => type switch
    {
        "pong" => new Pong(),
        "started" when name is not null => new Started(name, Info(data.GetProperty("session"))) { Member = data.GetProperty("member").GetInt32() },
        "attached" when name is not null => new Attached(name, Info(data.GetProperty("session")), data.GetProperty("from").GetInt64())
        {
            Member = data.GetProperty("member").GetInt32(),
            Access = Mode(data),
            LastInput = data.GetProperty("seq").GetInt64(),
            Screen = data.TryGetProperty("screen", out var screen) ? Encoding.UTF8.GetBytes(screen.GetString()!) : null,
        },
        "missed" when name is not null => new Missed(name, data.GetProperty("from").GetInt64(), data.GetProperty("to").GetInt64()),
        "stopped" when name is not null => new Exited(name, Exit(data)),
        "error" => Failure(data),
        "done" => new Result("done", null),
        "hello" => new Result("device.hello", Hello(data)),
        "sessions" => new Result("sessions.list", data.GetProperty("sessions").EnumerateArray().Select(Info).ToList()),
        "upload" => new Result("files.upload", new UploadState(data.GetProperty("upload").GetString()!, data.GetProperty("bytes").GetInt64())),
        "uploaded" => new Result("files.uploadEnd", new UploadDone(data.GetProperty("fetchedUrls").GetBoolean())),
        "auth" or "paired" or "pairing" or "pairingOver" => FurtherAccess.Read(type, data),
        _ => Body(type, data) is { } body ? new Notice(body.Topic, body.Value) { Name = name } : null,
    };

    private static (string Topic, object Value)? Body(string type, JsonElement data) => type switch
    {
        "ack" => ("input", new InputTaken(new InputMark("", data.GetProperty("seq").GetInt64()))),
        "detached" => ("detached", new Detached(Text(data, "reason"))),
        "presence" => ("presence", data.GetProperty("members").EnumerateArray().Select(Member).ToList()),
        "resized" => ("resize", Size(data)),
        "spill" => ("spill", new SpillStopped(Text(data, "reason") ?? "")),
        "video" => ("video", Text(data, "output") ?? ""),
        "keylisten" => ("keylisten", Text(data, "output") ?? ""),
        "novnc" => ("novnc", new DisplayAddress(data.GetProperty("port").GetInt32(), Text(data, "path") ?? "")),
        _ => null,
    };

    private static HelloAnswer Hello(JsonElement data) => new(
        data.GetProperty("version").GetString()!,
        data.GetProperty("inputCapacity").GetInt32(),
        data.GetProperty("maxMessage").GetInt32())
    {
        Extensions = [.. data.GetProperty("extensions").EnumerateArray().Select(name => name.GetString()!)],
    };

    private static Failed Failure(JsonElement data) =>
        new(Code(data), Text(data, "detail") ?? Text(data, "message") ?? "the server has not said why") { Name = Text(data, "process") };

    private static FailureCode Code(JsonElement data)
    {
        if (Text(data, "code") is { } code && Enum.TryParse<FailureCode>(code, ignoreCase: true, out var known))
            return known;
        return Text(data, "message") == "Bad message" ? FailureCode.BadMessage : FailureCode.Failed;
    }

    private static SessionInfo Info(JsonElement session) => new(
        session.GetProperty("id").GetString()!,
        session.GetProperty("runner").GetString()!,
        session.GetProperty("pid").GetInt32(),
        session.GetProperty("user").GetString()!,
        session.GetProperty("directory").GetString()!,
        session.GetProperty("terminal") is { ValueKind: JsonValueKind.Object } size ? Size(size) : null,
        session.GetProperty("created").GetDateTimeOffset())
    {
        Name = Text(session, "name"),
        Members = session.GetProperty("members").GetInt32(),
        End = session.GetProperty("end").GetInt64(),
        Exit = session.GetProperty("exitCode") is { ValueKind: JsonValueKind.Number } code ? new ExitStatus(code.GetInt32()) : null,
    };

    private static MemberInfo Member(JsonElement member) => new(
        member.GetProperty("member").GetInt32(),
        Text(member, "name") ?? "",
        Mode(member),
        member.GetProperty("drives").GetBoolean(),
        member.GetProperty("requests").GetBoolean());

    private static ExitStatus Exit(JsonElement data) => new(data.GetProperty("exitCode").GetInt32()) { Reason = Text(data, "reason") };

    private static Access Mode(JsonElement data) => data.GetProperty("mode").ValueEquals("drive"u8) ? Access.Drive : Access.View;

    private static TerminalSize Size(JsonElement data) => new(data.GetProperty("rows").GetInt32(), data.GetProperty("cols").GetInt32());

    private static string? Text(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
