using System.Text.Json.Nodes;

namespace FurtherLink.Transports.Portacode;

/// <summary>What the device tells a gateway, without whom it is for: that is added when it is sent.</summary>
/// <param name="Name">The event's name ("file_read_response").</param>
/// <param name="Fields">Its fields beside "event". Belongs to the event: nobody changes it any more.</param>
internal sealed record PortacodeEvent(string Name, JsonObject Fields)
{
    private const int LongText = 4096;
    private const int LongList = 64;

    /// <summary>Whether it holds so much that answers should overtake it.</summary>
    public bool IsLong { get; } = Fields.Any(static field => field.Value switch
    {
        JsonArray list => list.Count > LongList,
        JsonValue value => value.TryGetValue<string>(out var text) && text.Length > LongText,
        _ => false,
    });
}
