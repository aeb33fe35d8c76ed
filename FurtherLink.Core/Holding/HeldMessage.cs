using System.Text.Json.Serialization;
using FurtherLink.Messages;

namespace FurtherLink.Holding;

/// <summary>
/// A message between a server and the holder of its sessions that is no bulk: one JSON object, of which each type uses some fields. Either side
/// may be the older one: names it does not know are passed over.
/// </summary>
internal sealed record HeldMessage
{
    /// <summary>What it is: "start", "attach", "resize", "signal", "key", "end", "stop", "ack", "list", "remove"; "started", "attached", "exited", "missed", "notice", "taken", "failed", "sessions", "removed".</summary>
    public required string Type { get; init; }

    /// <summary>The request that it is about.</summary>
    public string? Ref { get; init; }

    /// <summary>A session's global id.</summary>
    public string? Session { get; init; }

    /// <summary>start: what to run.</summary>
    public RunRequest? Request { get; init; }

    /// <summary>What a session is.</summary>
    public SessionInfo? Info { get; init; }

    /// <summary>exited: how.</summary>
    public ExitStatus? Exit { get; init; }

    /// <summary>An offset in the log.</summary>
    public long? Offset { get; init; }

    /// <summary>attach, start: bytes that may be under way unacknowledged.</summary>
    public long? Window { get; init; }

    /// <summary>missed: where output goes on.</summary>
    public long? To { get; init; }

    /// <summary>A terminal's size.</summary>
    public TerminalSize? Size { get; init; }

    /// <summary>A signal's number.</summary>
    public int? Number { get; init; }

    /// <summary>A key, or a notice's topic.</summary>
    public string? Name { get; init; }

    /// <summary>A key's event, a notice's body, or what was wrong.</summary>
    public string? Text { get; init; }

    /// <summary>novnc: where the display is seen.</summary>
    public DisplayAddress? Display { get; init; }

    /// <summary>taken: which input.</summary>
    public InputMark? Input { get; init; }

    /// <summary>failed: what kind of fault.</summary>
    public FailureCode? Code { get; init; }

    /// <summary>sessions: what is held.</summary>
    public IReadOnlyList<HeldState>? Sessions { get; init; }
}

/// <summary>All that a server has to know of a session to go on with it.</summary>
/// <param name="Info">What it is.</param>
/// <param name="Options">What becomes of it when nobody is attached.</param>
internal sealed record HeldState(SessionInfo Info, SessionOptions Options)
{
    /// <summary>Where the holder's log begins.</summary>
    public long Start { get; init; }

    /// <summary>The numbers of inputs that the program has taken last.</summary>
    public IReadOnlyList<InputMark> Inputs { get; init; } = [];

    /// <summary>Sizes, and what was typed where that is kept.</summary>
    public IReadOnlyList<HeldEvent> Events { get; init; } = [];

    /// <summary>What the terminal shows; null = there is none.</summary>
    public byte[]? Screen { get; init; }

    /// <summary>The offset behind the last byte that the screen knows of.</summary>
    public long ScreenOffset { get; init; }
}

/// <summary>A size, or something typed.</summary>
/// <param name="Offset">The log's end then.</param>
/// <param name="Time">When, in milliseconds since 1970-01-01 UTC.</param>
internal sealed record HeldEvent(long Offset, long Time)
{
    /// <summary>The size; null = something typed.</summary>
    public TerminalSize? Size { get; init; }

    /// <summary>What was typed.</summary>
    public byte[]? Typed { get; init; }
}

/// <summary>Reads and writes the messages without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(HeldMessage))]
internal sealed partial class HeldJson : JsonSerializerContext;
