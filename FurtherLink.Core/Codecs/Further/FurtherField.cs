using System.Buffers;
using System.Text.Json;

namespace FurtherLink.Codecs.Further;

/// <summary>The field names of client messages, over all levels.</summary>
internal enum FurtherField
{
    Unknown,
    Type,
    Process,
    Ref,
    Data,
    Input,
    End,
    Key,
    Event,
    Runner,
    Code,
    Path,
    NovncOptions,
    Extensions,
    Session,
    From,
    Mode,
    ClientId,
    Delivery,
    Window,
    Patient,
    Screen,
    Offset,
    Seq,
    Member,
    SourceScript,
    SourcePath,
    DirectoryName,
    Directory,
    User,
    Args,
    Env,
    Terminal,
    Base64,
    Signal,
    Client,
    Upload,
    Text,
    Executable,
    Token,
    Password,
    Users,
    SeesOthers,
    Expires,

    // From here on also in objects within data.
    Rows,
    Cols,
    Name,

    // From here on only there.
    Enabled,
    Width,
    Height,
    WhenDetached,
    Grace,
    Id,
    Size,
    AllDrive,
    RecordInput,
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
        _ when name.SequenceEqual("ref"u8) => FurtherField.Ref,
        _ when name.SequenceEqual("base64"u8) => FurtherField.Base64,
        _ when name.SequenceEqual("args"u8) => FurtherField.Args,
        _ when name.SequenceEqual("env"u8) => FurtherField.Env,
        _ when name.SequenceEqual("terminal"u8) => FurtherField.Terminal,
        _ when name.SequenceEqual("signal"u8) => FurtherField.Signal,
        _ when name.SequenceEqual("client"u8) => FurtherField.Client,
        _ when name.SequenceEqual("upload"u8) => FurtherField.Upload,
        _ when name.SequenceEqual("text"u8) => FurtherField.Text,
        _ when name.SequenceEqual("executable"u8) => FurtherField.Executable,
        _ when name.SequenceEqual("id"u8) => FurtherField.Id,
        _ when name.SequenceEqual("novncOptions"u8) => FurtherField.NovncOptions,
        _ when name.SequenceEqual("extensions"u8) => FurtherField.Extensions,
        _ when name.SequenceEqual("session"u8) => FurtherField.Session,
        _ when name.SequenceEqual("from"u8) => FurtherField.From,
        _ when name.SequenceEqual("mode"u8) => FurtherField.Mode,
        _ when name.SequenceEqual("clientId"u8) => FurtherField.ClientId,
        _ when name.SequenceEqual("delivery"u8) => FurtherField.Delivery,
        _ when name.SequenceEqual("window"u8) => FurtherField.Window,
        _ when name.SequenceEqual("patient"u8) => FurtherField.Patient,
        _ when name.SequenceEqual("screen"u8) => FurtherField.Screen,
        _ when name.SequenceEqual("offset"u8) => FurtherField.Offset,
        _ when name.SequenceEqual("seq"u8) => FurtherField.Seq,
        _ when name.SequenceEqual("member"u8) => FurtherField.Member,
        _ when name.SequenceEqual("whenDetached"u8) => FurtherField.WhenDetached,
        _ when name.SequenceEqual("grace"u8) => FurtherField.Grace,
        _ when name.SequenceEqual("name"u8) => FurtherField.Name,
        _ when name.SequenceEqual("size"u8) => FurtherField.Size,
        _ when name.SequenceEqual("allDrive"u8) => FurtherField.AllDrive,
        _ when name.SequenceEqual("recordInput"u8) => FurtherField.RecordInput,
        _ when name.SequenceEqual("sourceScript"u8) => FurtherField.SourceScript,
        _ when name.SequenceEqual("sourcePath"u8) => FurtherField.SourcePath,
        _ when name.SequenceEqual("directoryName"u8) => FurtherField.DirectoryName,
        _ when name.SequenceEqual("directory"u8) => FurtherField.Directory,
        _ when name.SequenceEqual("token"u8) => FurtherField.Token,
        _ when name.SequenceEqual("password"u8) => FurtherField.Password,
        _ when name.SequenceEqual("users"u8) => FurtherField.Users,
        _ when name.SequenceEqual("seesOthers"u8) => FurtherField.SeesOthers,
        _ when name.SequenceEqual("expires"u8) => FurtherField.Expires,
        _ when name.SequenceEqual("user"u8) => FurtherField.User,
        _ when name.SequenceEqual("enabled"u8) => FurtherField.Enabled,
        _ when name.SequenceEqual("width"u8) => FurtherField.Width,
        _ when name.SequenceEqual("height"u8) => FurtherField.Height,
        _ => FurtherField.Unknown,
    };
}
