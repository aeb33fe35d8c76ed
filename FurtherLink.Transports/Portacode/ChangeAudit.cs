using System.Collections.Frozen;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Security.Auditing;

namespace FurtherLink.Transports.Portacode;

/// <summary>Writes down what gateways change of the device's files: which action, what, and how it ended; no contents.</summary>
/// <param name="audit">Where it is written.</param>
internal sealed class ChangeAudit(AuditLog audit)
{
    private static readonly FrozenSet<string> Changing = new[]
    {
        "file_write", "file_create", "file_delete", "file_rename", "file_move_copy", "file_apply_diff", "file_upload", "folder_create", "transfer_finalize",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Carries out an action, and writes down what it has changed.</summary>
    public async ValueTask RunAsync(ActionHandler handler, PortacodeRequest request, IReplies replies, Peer peer)
    {
        if (!Changing.Contains(request.Name))
        {
            await handler(request, replies, peer.Gone).ConfigureAwait(false);
            return;
        }

        try
        {
            await handler(request, new Watched(replies, answer => Write(request.Name, answer, peer)), peer.Gone).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            Write(request.Name, Asked(request), e.Message, peer);
            throw;
        }
    }

    private void Write(string action, JsonObject answer, Peer peer)
    {
        // What an upload in pieces has so far, and what is sent elsewhere, is nothing that others see.
        if ((action is "file_upload" && Is(answer, "success", true) && Is(answer, "complete", false)) || Text(answer, "role") is "source")
            return;
        if (answer["results"] is JsonArray results)
        {
            foreach (var result in results.OfType<JsonObject>())
                Write(action, Changed(result), Text(result, "error") ?? "done", peer);
        }
        else
        {
            Write(action, Changed(answer), Text(answer, "error") ?? "done", peer);
        }
    }

    private void Write(string action, string? path, string end, Peer peer) => audit.Write(
        AuditEvent.Of("changed", peer.Grant, peer.Caller) with { Connection = peer.ConnectionId, Action = action, Path = path, End = end });

    private static string? Changed(JsonObject answer) => (Text(answer, "old_path") ?? Text(answer, "source_path")) is { } from
        ? $"{from} to {Text(answer, "new_path") ?? Text(answer, "target_path")}"
        : Text(answer, "path") ?? Text(answer, "file_path") ?? Text(answer, "folder_path");

    private static string? Asked(PortacodeRequest request) =>
        request.Text("path") ?? request.Text("old_path") ?? request.Text("source_path") ?? request.Text("base_path")
        ?? (request.Text("parent_path") is { } parent ? Path.Join(parent, request.Text("file_name") ?? request.Text("folder_name")) : request.Text("transfer_id"));

    private static string? Text(JsonObject fields, string name) => fields[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static bool Is(JsonObject fields, string name, bool wanted) => fields[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag == wanted;

    /// <summary>Shows what is answered to somebody else, before the client has it.</summary>
    private sealed class Watched(IReplies replies, Action<JsonObject> seen) : IReplies
    {
        public ValueTask SendAsync(PortacodeEvent answer)
        {
            seen(answer.Fields);
            return replies.SendAsync(answer);
        }
    }
}
