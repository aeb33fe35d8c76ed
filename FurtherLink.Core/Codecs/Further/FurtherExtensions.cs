using System.Text.Json;

namespace FurtherLink.Codecs.Further;

/// <summary>The server messages that Further-Link does not have and that only a client gets that asked for them by name.</summary>
[Flags]
internal enum FurtherExtensions
{
    None = 0,

    /// <summary>"missed": output that the client will not get.</summary>
    Missed = 1,

    All = Missed,
}

/// <summary>Reads names of extensions; one that is unknown asks for nothing.</summary>
internal static class FurtherExtensionNames
{
    /// <summary>The extensions of a connection's query.</summary>
    public static FurtherExtensions Of(IReadOnlySet<string> names) =>
        names.Contains("*") ? FurtherExtensions.All
        : names.Contains("missed") ? FurtherExtensions.Missed
        : FurtherExtensions.None;

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
            {
                if (reader.ValueTextEquals("*"u8))
                    asked |= FurtherExtensions.All;
                else if (reader.ValueTextEquals("missed"u8))
                    asked |= FurtherExtensions.Missed;
            }
            reader.Skip();
        }
        return asked;
    }
}
