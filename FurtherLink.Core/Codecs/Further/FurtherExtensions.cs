using System.Text.Json;

namespace FurtherLink.Codecs.Further;

/// <summary>What Further-Link does not have and only a client gets that asked for it by name.</summary>
[Flags]
internal enum FurtherExtensions
{
    None = 0,

    /// <summary>"missed": output that the client will not get.</summary>
    Missed = 1,

    /// <summary>"sessions": what a session is in started; presence; missed, too. Who uses one of its messages has asked for it.</summary>
    Sessions = 2,

    /// <summary>"offsets": where output stands.</summary>
    Offsets = 4,

    /// <summary>"ack": output is kept until the client acknowledges it; it needs offsets.</summary>
    Ack = 8,

    /// <summary>"bytes": output that is no UTF-8 comes as the bytes that it is.</summary>
    Bytes = 16,

    All = Missed | Sessions | Offsets,
}

/// <summary>Reads names of extensions; one that is unknown asks for nothing.</summary>
internal static class FurtherExtensionNames
{
    /// <summary>All names, as a client is told them.</summary>
    public static IReadOnlyList<string> All { get; } = ["missed", "sessions", "offsets", "ack", "bytes"];

    /// <summary>The extensions of a connection's query.</summary>
    public static FurtherExtensions Of(IReadOnlySet<string> names) =>
        names.Aggregate(FurtherExtensions.None, static (asked, name) => asked | Of(name));

    /// <summary>The extensions of a list in a message's data; anything but a list of texts asks for nothing.</summary>
    public static FurtherExtensions Of(in FurtherValue list)
    {
        var asked = FurtherExtensions.None;
        if (list.Type != JsonTokenType.StartArray)
            return asked;
        var reader = new Utf8JsonReader(list.Raw, new JsonReaderOptions { MaxDepth = FurtherRequest.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped)
                asked |= Of(reader.GetString()!);
            reader.Skip();
        }
        return asked;
    }

    // "ack" obliges a client to do something, and "bytes" to know another field, so that "*" asks for neither.
    private static FurtherExtensions Of(string name) => name switch
    {
        "*" => FurtherExtensions.All,
        "missed" => FurtherExtensions.Missed,
        "sessions" => FurtherExtensions.Sessions,
        "offsets" => FurtherExtensions.Offsets,
        "ack" => FurtherExtensions.Ack | FurtherExtensions.Offsets | FurtherExtensions.Missed,
        "bytes" => FurtherExtensions.Bytes,
        _ => FurtherExtensions.None,
    };
}
