using System.Buffers;

namespace FurtherLink.Messages;

/// <summary>
/// What a client asks for, whatever its dialect: nine messages about sessions, a closed family. Any other verb is a <see cref="Call"/>.
/// </summary>
/// <remarks>
/// A message is borrowed: a codec may reuse one <see cref="Input"/> object and its data point into the frame. Who needs it after
/// the call it came with has returned, copies it.
/// </remarks>
public abstract record ClientMessage
{
    /// <summary>Which of several clients behind one connection sent it; null where a connection is one client.</summary>
    public string? Client { get; set; }

    /// <summary>What the client calls this request, given back on the answer; null where it has no name.</summary>
    public string? Ref { get; set; }

    /// <summary>
    /// Whether a message that is mostly not answered is, once it has been carried out: <see cref="Input"/>, which the session has taken then, by a
    /// <see cref="Result"/> "input", <see cref="Control"/> and <see cref="Stop"/> by a <see cref="Result"/> "done". Default false.
    /// </summary>
    public bool Confirm { get; set; }
}

/// <summary>Asks for a <see cref="Pong"/>.</summary>
public sealed record Ping : ClientMessage;

/// <summary>Starts a program and attaches the client to its session.</summary>
/// <param name="Name">What the client calls the session from now on ("1"); free for reuse after its <see cref="Exited"/>.</param>
/// <param name="Request">What to run.</param>
public sealed record Start(string Name, RunRequest Request) : ClientMessage
{
    /// <summary>How this client wants the output.</summary>
    public AttachOptions Options { get; init; } = AttachOptions.Default;
}

/// <summary>Attaches the client to a session that exists.</summary>
/// <param name="Name">What the client calls the session from now on.</param>
/// <param name="Session">The session's global id, or the name it was given when it started.</param>
/// <param name="Options">From where, and how.</param>
public sealed record Attach(string Name, string Session, AttachOptions Options) : ClientMessage;

/// <summary>Ends the client's attachment; the session goes on by its own policy.</summary>
/// <param name="Name">The client's name of the session.</param>
public sealed record Detach(string Name) : ClientMessage;

/// <summary>Bytes for the program's standard input. One object may be reused for every input of a connection.</summary>
public sealed record Input : ClientMessage
{
    /// <summary>The client's name of the session.</summary>
    public string Name { get; set; } = "";

    /// <summary>The bytes, in UTF-8 where they are text. Borrowed: valid until the call it was handed to returns.</summary>
    public ReadOnlySequence<byte> Data { get; set; }

    /// <summary>
    /// The input ends behind <see cref="Data"/>, which may be empty: end of file on a pipe, Ctrl-D on a terminal, as by
    /// <see cref="EndOfInput"/>. Default false.
    /// </summary>
    public bool End { get; set; }

    /// <summary>
    /// The client's number of this input, which is taken once however often it is sent: 1, 2, 3 and so on for each
    /// <see cref="AttachOptions.ClientId"/>, and told back by <see cref="InputTaken"/>. Null = it has none.
    /// </summary>
    public long? Sequence { get; set; }

    /// <summary>Whose number that is, where it is not the attachment's own <see cref="AttachOptions.ClientId"/>; null = that.</summary>
    public string? ClientId { get; set; }
}

/// <summary>Resizes the terminal, sends a signal or a key event, or ends the input.</summary>
/// <param name="Name">The client's name of the session.</param>
/// <param name="Action">What to do.</param>
public sealed record Control(string Name, SessionControl Action) : ClientMessage;

/// <summary>Ends the program: SIGTERM to its process group, SIGKILL after the grace. Passes all input that waits.</summary>
/// <param name="Name">The client's name of the session.</param>
public sealed record Stop(string Name) : ClientMessage;

/// <summary>Tells that the client has received the output below an offset, so that the log may let it go.</summary>
/// <param name="Name">The client's name of the session.</param>
/// <param name="Offset">In bytes since the session's start.</param>
public sealed record Acknowledge(string Name, long Offset) : ClientMessage;

/// <summary>Any other verb: a request to a service.</summary>
/// <param name="Name">"service.verb": the part before the first dot names the service ("files.upload").</param>
/// <param name="Body">A record of that service.</param>
public sealed record Call(string Name, object? Body) : ClientMessage
{
    /// <summary>The service's name: what stands before the first dot, or all of it.</summary>
    public string Service => Name.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? Name[..dot] : Name;

    /// <summary>The client's name of the session that the call is about; null where it is about none.</summary>
    public string? Session { get; init; }
}
