using System.Buffers;
using System.Text.Json;

namespace FurtherLink.Codecs.Further;

/// <summary>The types of client messages, of both endpoints.</summary>
internal enum FurtherVerb
{
    Unknown,
    Ping,
    Start,
    Stop,
    Stdin,
    Resize,
    KeyEvent,
    Upload,
    Attach,
    Detach,
    List,
    Ack,
    Request,
    Grant,
    Take,
    Hello,
    Signal,
    UploadBegin,
    UploadFile,
    UploadEnd,
    UploadCancel,
    Auth,
    Pair,
    PairingOpen,
    PairingWait,
}

/// <summary>Knows a verb by its spelling, escaped or not.</summary>
internal static class FurtherVerbs
{
    // "uploadCancel" is the longest; each of its letters may be an escape of six.
    private const int LongestName = 12;

    /// <summary>The verb that a value names.</summary>
    public static FurtherVerb Of(in FurtherValue value)
    {
        if (value.Type != JsonTokenType.String || value.Raw.Length > LongestName * 6)
            return FurtherVerb.Unknown;
        Span<byte> name = stackalloc byte[LongestName * 6];
        name = name[..(int)value.Raw.Length];
        value.Raw.CopyTo(name);
        return JsonText.TryUnescape(name, out var length) ? Of(name[..length]) : FurtherVerb.Unknown;
    }

    /// <summary>How a verb is spelled.</summary>
    public static string NameOf(FurtherVerb verb) => verb switch
    {
        FurtherVerb.Ping => "ping",
        FurtherVerb.Start => "start",
        FurtherVerb.Stop => "stop",
        FurtherVerb.Stdin => "stdin",
        FurtherVerb.Resize => "resize",
        FurtherVerb.KeyEvent => "keyevent",
        FurtherVerb.Upload => "upload",
        FurtherVerb.Attach => "attach",
        FurtherVerb.Detach => "detach",
        FurtherVerb.List => "list",
        FurtherVerb.Ack => "ack",
        FurtherVerb.Request => "request",
        FurtherVerb.Grant => "grant",
        FurtherVerb.Take => "take",
        FurtherVerb.Hello => "hello",
        FurtherVerb.Signal => "signal",
        FurtherVerb.UploadBegin => "uploadBegin",
        FurtherVerb.UploadFile => "uploadFile",
        FurtherVerb.UploadEnd => "uploadEnd",
        FurtherVerb.UploadCancel => "uploadCancel",
        FurtherVerb.Auth => "auth",
        FurtherVerb.Pair => "pair",
        FurtherVerb.PairingOpen => "pairingOpen",
        FurtherVerb.PairingWait => "pairingWait",
        _ => "message",
    };

    private static FurtherVerb Of(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("stdin"u8) => FurtherVerb.Stdin,
        _ when name.SequenceEqual("ack"u8) => FurtherVerb.Ack,
        _ when name.SequenceEqual("ping"u8) => FurtherVerb.Ping,
        _ when name.SequenceEqual("keyevent"u8) => FurtherVerb.KeyEvent,
        _ when name.SequenceEqual("resize"u8) => FurtherVerb.Resize,
        _ when name.SequenceEqual("start"u8) => FurtherVerb.Start,
        _ when name.SequenceEqual("stop"u8) => FurtherVerb.Stop,
        _ when name.SequenceEqual("upload"u8) => FurtherVerb.Upload,
        _ when name.SequenceEqual("attach"u8) => FurtherVerb.Attach,
        _ when name.SequenceEqual("detach"u8) => FurtherVerb.Detach,
        _ when name.SequenceEqual("list"u8) => FurtherVerb.List,
        _ when name.SequenceEqual("request"u8) => FurtherVerb.Request,
        _ when name.SequenceEqual("grant"u8) => FurtherVerb.Grant,
        _ when name.SequenceEqual("take"u8) => FurtherVerb.Take,
        _ when name.SequenceEqual("uploadFile"u8) => FurtherVerb.UploadFile,
        _ when name.SequenceEqual("uploadBegin"u8) => FurtherVerb.UploadBegin,
        _ when name.SequenceEqual("uploadEnd"u8) => FurtherVerb.UploadEnd,
        _ when name.SequenceEqual("uploadCancel"u8) => FurtherVerb.UploadCancel,
        _ when name.SequenceEqual("hello"u8) => FurtherVerb.Hello,
        _ when name.SequenceEqual("signal"u8) => FurtherVerb.Signal,
        _ when name.SequenceEqual("auth"u8) => FurtherVerb.Auth,
        _ when name.SequenceEqual("pair"u8) => FurtherVerb.Pair,
        _ when name.SequenceEqual("pairingOpen"u8) => FurtherVerb.PairingOpen,
        _ when name.SequenceEqual("pairingWait"u8) => FurtherVerb.PairingWait,
        _ => FurtherVerb.Unknown,
    };
}
