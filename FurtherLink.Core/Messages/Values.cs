using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Messages;

/// <summary>Which of a program's streams.</summary>
public enum OutputKind : byte
{
    /// <summary>Standard output, or everything where the session has a terminal.</summary>
    Out = 1,

    /// <summary>Standard error of a session without a terminal.</summary>
    Error = 2,
}

/// <summary>A terminal's size in character cells, each 0 to 65535.</summary>
/// <param name="Rows">Lines.</param>
/// <param name="Columns">Characters in a line.</param>
public readonly record struct TerminalSize(int Rows, int Columns)
{
    /// <summary>What a terminal has before its client says anything: 4 rows of 60 columns, as Further-Link clients expect.</summary>
    public static TerminalSize Default { get; } = new(4, 60);

    /// <summary>Whether both numbers are in 0 to 65535.</summary>
    public bool IsValid => (ushort)Rows == Rows && (ushort)Columns == Columns;

    /// <summary>Refuses a size that is not valid.</summary>
    /// <exception cref="LinkException">It is not; the message says what is.</exception>
    internal void Demand()
    {
        if (!IsValid)
            throw new LinkException(FailureCode.BadValue, $"a terminal of {Rows} rows and {Columns} columns: each must be 0 to 65535");
    }
}

/// <summary>How a program ended.</summary>
/// <param name="Code">Its exit code 0 to 255, or minus the number of the signal that ended it.</param>
public readonly record struct ExitStatus(int Code)
{
    /// <summary>The signal that ended the program; null where it exited by itself.</summary>
    public int? Signal => Code < 0 ? -Code : null;

    /// <summary>In words, where more is known than the number ("over its memory limit"); null otherwise.</summary>
    public string? Reason { get; init; }
}

/// <summary>What a client may do with a session; each includes the ones before it.</summary>
public enum Access
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>See output and events.</summary>
    View,

    /// <summary>Also start, type, resize, upload, and stop what it started itself.</summary>
    Drive,

    /// <summary>Also take over and end what others started.</summary>
    Own,
}

/// <summary>How a client wants a session's output.</summary>
public sealed record AttachOptions
{
    /// <summary>From the start, in text, lossless, no window, driving.</summary>
    public static AttachOptions Default { get; } = new();

    /// <summary>The offset to begin at; null = what comes from now on. What is gone already is reported as missed.</summary>
    public long? From { get; init; } = 0;

    /// <summary>Whole UTF-8 characters only (a cut one waits for its rest); false = bytes as they come.</summary>
    public bool Text { get; init; } = true;

    /// <summary>The program waits for this client; false = the client misses what it is too slow for.</summary>
    public bool Lossless { get; init; } = true;

    /// <summary>
    /// A program waits for this client as long as it is connected; false = one that takes nothing for the stall timeout while a program waits for it is
    /// let go. It gives way where others have waited as long: then it misses what it is too slow for. Default false.
    /// </summary>
    public bool Patient { get; init; }

    /// <summary>
    /// Bytes that may be under way unacknowledged; the log keeps them until the client acknowledges. Null = what is flushed counts as received.
    /// </summary>
    public long? Window { get; init; }

    /// <summary>For clients that know what is printed together as one message; null = output is sent at once.</summary>
    public GatherOptions? Gather { get; init; }

    /// <summary>
    /// Whether it only watches (<see cref="Access.View"/>) or also types. One drives at a time, unless the session says otherwise: who
    /// attaches later to drive waits for its turn.
    /// </summary>
    public Access Access { get; init; } = Access.Drive;

    /// <summary>
    /// A text that the client has made up and keeps when it comes back, at most 200 characters; nobody else is shown it. An attachment with
    /// the same one is replaced by this one, which goes on in its place, and its numbered inputs are taken once. Null = none.
    /// </summary>
    public string? ClientId { get; init; }

    /// <summary>What the terminal shows comes first, and output from there on instead of from <see cref="From"/>. Fails without a terminal.</summary>
    public bool Screen { get; init; }

    /// <summary>
    /// Whether the session goes on for its sake; false = it looks on, and the session ends, stops or pauses as if it were not there. Default true.
    /// </summary>
    public bool Holds { get; init; } = true;

    /// <summary>
    /// It may type and resize whoever drives, without becoming one who drives: for dialects that know no hand-over. Needs the right to own. Default false.
    /// </summary>
    public bool Overrules { get; init; }

    /// <summary>Says how much output may be sent, and when; null = as much as the connection takes.</summary>
    public IPace? Pace { get; init; }

    /// <summary>Anything its creator wants to find again on the attachment.</summary>
    public object? Tag { get; init; }
}

/// <summary>Limits how fast output is sent to a client. Thread safe.</summary>
public interface IPace
{
    /// <summary>Asks how much may be sent now. Must not wait.</summary>
    /// <param name="most">What would be sent at most, in bytes, at least 1.</param>
    /// <param name="later">Called once, on any thread, when more may be sent; only where the answer is 0.</param>
    /// <returns>0 to <paramref name="most"/>.</returns>
    int Allow(int most, Action later);
}

/// <summary>
/// Output is held back until none has come for a moment, at most four moments, and never 16 KiB or an exit: for clients that know what is
/// printed together as one message.
/// </summary>
public sealed record GatherOptions
{
    /// <summary>The moment while the program is young: 30 ms.</summary>
    public TimeSpan StartQuiet { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <summary>How long it is young: 100 ms.</summary>
    public TimeSpan StartTime { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>It is no longer young once this client has sent it input.</summary>
    public bool UntilInput { get; init; }

    /// <summary>The moment later: zero = output is sent at once then.</summary>
    public TimeSpan Quiet { get; init; }
}

/// <summary>What a session is, as lists and start replies show it. A snapshot.</summary>
/// <param name="Id">The global id, unique on this device.</param>
/// <param name="Runner">The runner's name ("python3").</param>
/// <param name="ProcessId">The program's process id, which is also its process group and session id; 0 before it runs.</param>
/// <param name="User">The user it runs as.</param>
/// <param name="WorkingDirectory">The program's first working directory, absolute.</param>
/// <param name="Terminal">The terminal's size; null where it has pipes.</param>
/// <param name="Created">When it was started.</param>
public sealed record SessionInfo(
    string Id, string Runner, int ProcessId, string User, string WorkingDirectory, TerminalSize? Terminal, DateTimeOffset Created)
{
    /// <summary>The name its creator gave it; null where it has none.</summary>
    public string? Name { get; init; }

    /// <summary>Who has started it, and may end it, by what <see cref="Security.Grant.Id"/> says; "" = the application that FurtherLink is part of.</summary>
    public string Owner { get; init; } = "";

    /// <summary>What its creator noted about it, see <see cref="SessionOptions.Labels"/>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = SessionOptions.NoLabels;

    /// <summary>How it ended; null while it runs.</summary>
    public ExitStatus? Exit { get; init; }

    /// <summary>The offset behind the last byte of its output so far.</summary>
    public long End { get; init; }

    /// <summary>How many are attached.</summary>
    public int Members { get; init; }

    /// <summary>Refuses a size that the session cannot have.</summary>
    /// <exception cref="LinkException">It has no terminal, or the size is not valid.</exception>
    internal void DemandTerminal(TerminalSize size)
    {
        if (Terminal is null)
            throw new LinkException(FailureCode.BadMessage, "there is no terminal to resize");
        size.Demand();
    }
}

/// <summary>One of those who are attached to a session. A snapshot; the body of the notice "presence" is a list of them.</summary>
/// <param name="Id">Its number in this session; never used again there.</param>
/// <param name="Name">What it calls itself, or who it is; for people.</param>
/// <param name="Access">What it attached for: to view or to drive.</param>
/// <param name="Drives">Whether it may type now.</param>
/// <param name="Requests">Whether it has asked to drive.</param>
public sealed record MemberInfo(int Id, string Name, Access Access, bool Drives, bool Requests);

/// <summary>The body of the notice "input": the program's standard input has taken this client's inputs up to a number.</summary>
/// <param name="Mark">The client and the number, see <see cref="Input.Sequence"/>.</param>
public sealed record InputTaken(InputMark Mark);

/// <summary>The body of the notice "detached": the last message of a name that has not ended, which is free again.</summary>
/// <param name="Reason">In words, where it was not the client's own wish; null otherwise.</param>
public sealed record Detached(string? Reason);

/// <summary>The body of the notice "spill": output that leaves the memory is not kept on disk any more, until that works again.</summary>
/// <param name="Reason">Why, in words.</param>
public sealed record SpillStopped(string Reason);

/// <summary>What there is to an input beside its bytes.</summary>
/// <param name="End">The input ends behind it: end of file on a pipe, Ctrl-D on a terminal.</param>
/// <param name="Mark">By what it is known where it may be sent twice; null = it has no number.</param>
public readonly record struct InputOptions(bool End = false, InputMark? Mark = null);

/// <summary>By what an input is known that may be sent twice.</summary>
/// <param name="ClientId">Whose it is, see <see cref="AttachOptions.ClientId"/>.</param>
/// <param name="Sequence">Its number, see <see cref="Input.Sequence"/>.</param>
public readonly record struct InputMark(string ClientId, long Sequence);

/// <summary>A mistake of a peer, or a refusal, that becomes a <see cref="Failed"/> reply; never the end of a connection.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "A failure without a code says nothing.")]
public class LinkException(FailureCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What kind of fault.</summary>
    public FailureCode Code { get; } = code;

    /// <summary>The client's name of the session that it is about, where the thrower knows it.</summary>
    public string? Name { get; init; }

    /// <summary>What the client calls the request, where its codec could read that though not the message; null otherwise.</summary>
    public string? Ref { get; set; }

    /// <summary>Of <see cref="FailureCode.Limited"/>: after how long the next try may succeed, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
