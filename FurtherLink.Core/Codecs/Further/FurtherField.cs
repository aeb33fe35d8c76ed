using System.Buffers;
using System.Text.Json;

namespace FurtherLink.Codecs.Further;

/// <summary>The field names of client messages, over all levels.</summary>
internal enum FurtherField
{
    Unknown,
    Type,
    Process,
    Data,
    Input,
    End,
    Rows,
    Cols,
    Key,
    Event,
    Runner,
    Code,
    Path,
    NovncOptions,
    Extensions,
    SourceScript,
    SourcePath,
    DirectoryName,
    Directory,
    User,
    Enabled,
    Width,
    Height,
}

/// <summary>Knows a field by its name, escaped or not.</summary>
internal static class FurtherFields
{
    // "directoryName" is the longest name; each of its letters may be an escape of six.
    private const int LongestName = 13;

    /// <summary>The field that the reader's property name names.</summary>
    public static FurtherField Of(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped && !reader.HasValueSequence)
            return Of(reader.ValueSpan);
        var length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (length > LongestName * 6)
            return FurtherField.Unknown;
        Span<byte> name = stackalloc byte[(int)length];
        if (reader.HasValueSequence)
            reader.ValueSequence.CopyTo(name);
        else
            reader.ValueSpan.CopyTo(name);
        return JsonText.TryUnescape(name, out var used) ? Of(name[..used]) : FurtherField.Unknown;
    }

    private static FurtherField Of(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("type"u8) => FurtherField.Type,
        _ when name.SequenceEqual("process"u8) => FurtherField.Process,
        _ when name.SequenceEqual("data"u8) => FurtherField.Data,
        _ when name.SequenceEqual("input"u8) => FurtherField.Input,
        _ when name.SequenceEqual("end"u8) => FurtherField.End,
        _ when name.SequenceEqual("rows"u8) => FurtherField.Rows,
        _ when name.SequenceEqual("cols"u8) => FurtherField.Cols,
        _ when name.SequenceEqual("key"u8) => FurtherField.Key,
        _ when name.SequenceEqual("event"u8) => FurtherField.Event,
        _ when name.SequenceEqual("runner"u8) => FurtherField.Runner,
        _ when name.SequenceEqual("code"u8) => FurtherField.Code,
        _ when name.SequenceEqual("path"u8) => FurtherField.Path,
        _ when name.SequenceEqual("novncOptions"u8) => FurtherField.NovncOptions,
        _ when name.SequenceEqual("extensions"u8) => FurtherField.Extensions,
        _ when name.SequenceEqual("sourceScript"u8) => FurtherField.SourceScript,
        _ when name.SequenceEqual("sourcePath"u8) => FurtherField.SourcePath,
        _ when name.SequenceEqual("directoryName"u8) => FurtherField.DirectoryName,
        _ when name.SequenceEqual("directory"u8) => FurtherField.Directory,
        _ when name.SequenceEqual("user"u8) => FurtherField.User,
        _ when name.SequenceEqual("enabled"u8) => FurtherField.Enabled,
        _ when name.SequenceEqual("width"u8) => FurtherField.Width,
        _ when name.SequenceEqual("height"u8) => FurtherField.Height,
        _ => FurtherField.Unknown,
    };
}
