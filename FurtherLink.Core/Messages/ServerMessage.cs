namespace FurtherLink.Messages;

/// <summary>What a client is told, whatever its dialect: nine messages, a closed family.</summary>
/// <remarks>Borrowed by the codec while it encodes: one <see cref="Output"/> object is reused for every chunk of a connection.</remarks>
public abstract record ServerMessage
{
    /// <summary>Which of several clients behind one connection it is for; null where a connection is one client.</summary>
    public string? Client { get; set; }

    /// <summary>The request's <see cref="ClientMessage.Ref"/> that this answers; null where it answers none.</summary>
    public string? Ref { get; set; }
}

/// <summary>The answer to a <see cref="Ping"/>.</summary>
public sealed record Pong : ServerMessage;

/// <summary>A program has been started. It comes before the session's first output.</summary>
/// <param name="Name">The client's name of the session.</param>
/// <param name="Session">What the session is.</param>
public sealed record Started(string Name, SessionInfo Session) : ServerMessage
{
    /// <summary>What the client is called among those attached (<see cref="MemberInfo.Id"/>).</summary>
    public int Member { get; init; }
}

/// <summary>The client is attached. It comes before the session's output.</summary>
/// <param name="Name">The client's name of the session.</param>
/// <param name="Session">What the session is.</param>
/// <param name="Offset">The offset of the first byte that will come.</param>
public sealed record Attached(string Name, SessionInfo Session, long Offset) : ServerMessage
{
    /// <summary>What the client is called among those attached (<see cref="MemberInfo.Id"/>).</summary>
    public int Member { get; init; }

    /// <summary>What it may do now: <see cref="Access.View"/> also for one that wants to drive while another does.</summary>
    public Access Access { get; init; } = Access.Drive;

    /// <summary>The number of its last input that the program has taken (<see cref="Input.Sequence"/>); 0 = none.</summary>
    public long LastInput { get; init; }

    /// <summary>
    /// Where it asked for it: what brings a terminal that was reset, of the session's size, to what the session's shows; UTF-8 with
    /// control sequences. Null = it did not ask.
    /// </summary>
    public ReadOnlyMemory<byte>? Screen { get; init; }
}

/// <summary>A piece of a program's output. One object is reused for every chunk of a connection.</summary>
public sealed record Output : ServerMessage
{
    /// <summary>The client's name of the session.</summary>
    public string Name { get; set; } = "";

    /// <summary>Which stream.</summary>
    public OutputKind Kind { get; set; }

    /// <summary>The offset of the first byte, in bytes since the session's start, over both streams.</summary>
    public long Offset { get; set; }

    /// <summary>The offset behind the last byte: where a reader that resumes goes on.</summary>
    public long Next { get; set; }

    /// <summary>When it was taken, in milliseconds since 1970-01-01 UTC; see <c>OutputChunk.Time</c>.</summary>
    public long Time { get; set; }

    /// <summary>The bytes. To a text client whole UTF-8 characters, invalid bytes still in them. Borrowed while encoding.</summary>
    public ReadOnlyMemory<byte> Data { get; set; }
}

/// <summary>Output that this client will not get: it came back too late, or reads without waiting.</summary>
/// <param name="Name">The client's name of the session.</param>
/// <param name="From">The first offset missed.</param>
/// <param name="To">The offset at which output goes on.</param>
public sealed record Missed(string Name, long From, long To) : ServerMessage;

/// <summary>The program has ended and all its output has been sent: the last message of a name, which is free again.</summary>
/// <param name="Name">The client's name of the session.</param>
/// <param name="Status">How it ended.</param>
public sealed record Exited(string Name, ExitStatus Status) : ServerMessage;

/// <summary>Something happened that the client follows: a video frame, a key a program listens for, presence.</summary>
/// <param name="Topic">What ("video", "keylisten").</param>
/// <param name="Body">A record of the topic's owner, or a string.</param>
public sealed record Notice(string Topic, object? Body) : ServerMessage
{
    /// <summary>The client's name of the session that it is about; null where it is about none.</summary>
    public string? Name { get; init; }
}

/// <summary>The answer to a <see cref="Call"/>, or to an <see cref="Input"/> that wants one.</summary>
/// <param name="Call">The call's name; "input".</param>
/// <param name="Body">A record of the service.</param>
public sealed record Result(string Call, object? Body) : ServerMessage;

/// <summary>A request was not carried out. The connection and all sessions go on.</summary>
/// <param name="Code">What kind of fault, for programs.</param>
/// <param name="Detail">What was wrong, in words for people ("start has no process id").</param>
public sealed record Failed(FailureCode Code, string Detail) : ServerMessage
{
    /// <summary>The client's name of the session that it is about; null where it is about none, or none was said.</summary>
    public string? Name { get; init; }

    /// <summary>The name of the call that failed; null where it was no call.</summary>
    public string? Call { get; init; }
}

/// <summary>Whose fault a failure is and what kind.</summary>
public enum FailureCode
{
    /// <summary>The message makes no sense: not the dialect's form, a missing or wrong field.</summary>
    BadMessage,

    /// <summary>The message has the form but a value that cannot be used: a size out of range, a lone surrogate.</summary>
    BadValue,

    /// <summary>It names a session or thing that does not exist (any more).</summary>
    NotFound,

    /// <summary>It names something that exists already.</summary>
    AlreadyExists,

    /// <summary>The verb is unknown here, or the dialect cannot spell the answer.</summary>
    NotSupported,

    /// <summary>The client may not do this.</summary>
    Denied,

    /// <summary>Nobody knows who the client is, or what it has shown counts for nothing.</summary>
    Unauthenticated,

    /// <summary>A limit is reached.</summary>
    Limited,

    /// <summary>The program has not read its input for 2 s and the buffer is full: none of this input was written.</summary>
    InputStalled,

    /// <summary>The program has closed its input, or it was ended by an earlier request.</summary>
    InputClosed,

    /// <summary>There is no such program on the device, or no such file to run.</summary>
    ProgramNotFound,

    /// <summary>There is the program, but it cannot be run: no permission, nothing that the system knows how to run.</summary>
    ProgramNotRunnable,

    /// <summary>The operating system refused: no such directory, no such user, no permission. The detail says what.</summary>
    Failed,

    /// <summary>A fault of ours; the log has more.</summary>
    Internal,
}
