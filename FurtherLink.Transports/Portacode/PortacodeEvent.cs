using System.Text.Json.Nodes;

namespace FurtherLink.Transports.Portacode;

/// <summary>What the device tells a gateway, without whom it is for: that is added when it is sent.</summary>
/// <param name="Name">The event's name ("file_read_response").</param>
/// <param name="Fields">Its fields beside "event". Belongs to the event: nobody changes it any more.</param>
internal sealed record PortacodeEvent(string Name, JsonObject Fields)
{
    private const int LongText = 4096;
    private const int LongList = 64;

    /// <summary>Whether answers should overtake it, as it holds much, or is one of many; who sends it waits until it is taken.</summary>
    public bool IsLong { get; init; } = Fields.Any(static field => field.Value switch
    {
        JsonArray list => list.Count > LongList,
        JsonValue value => value.TryGetValue<string>(out var text) && text.Length > LongText,
        _ => false,
    });
}
