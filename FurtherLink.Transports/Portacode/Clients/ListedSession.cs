using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Clients;

/// <summary>A client session of a gateway's list.</summary>
/// <param name="Name">Its channel.</param>
/// <param name="Project">The project that it shows; null = a dashboard, which shows what belongs to none.</param>
internal sealed record ListedSession(string Name, string? Project)
{
    /// <summary>Whether an event of a project, or of none, is for it.</summary>
    public bool Follows(string? project) => project is null || project == Project;

    /// <summary>Reads the list of a gateway.</summary>
    /// <exception cref="LinkException">It is no list of objects with a channel name.</exception>
    public static IReadOnlyList<ListedSession> ReadAll(JsonElement? list)
    {
        if (list is not { ValueKind: JsonValueKind.Array } array)
            throw new LinkException(FailureCode.BadMessage, list is null ? "sessions parameter is required" : "sessions parameter must be a list");
        if (array.GetArrayLength() > ClientSessions.MaxSessions)
            throw new LinkException(FailureCode.Limited, $"a gateway may have {ClientSessions.MaxSessions} client sessions");
        return [.. array.EnumerateArray().Select(static (item, index) => Read(item, index))];
    }

    private static ListedSession Read(JsonElement item, int index)
    {
        if (item.ValueKind is not JsonValueKind.Object)
            throw new LinkException(FailureCode.BadMessage, $"session {index} must be an object");
        var session = new PortacodeRequest("client_sessions_update", item);
        var name = session.RequireText("channel_name");
        return new ListedSession(name, session.Text("connection_type") == "dashboard" ? null : session.Text("project_id"));
    }
}
