using System.IO.Pipelines;
using System.Security.Claims;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Security;

namespace FurtherLink;

/// <summary>One connection as its transport hands it over: frames both ways and what is known of who is there.</summary>
/// <param name="id">For logs: unique on this device ("ws-17").</param>
/// <param name="codec">The dialect's name ("further").</param>
/// <param name="frames">Frames in and out; the transport owns and completes it.</param>
public sealed class LinkConnection(string id, string codec, IDuplexPipe frames)
{
    private static long _lastNumber;

    private long _taken = long.MaxValue;
    private ClaimsPrincipal? _principal;
    private Grant _grant = Grant.Nobody;
    private readonly TaskCompletionSource<bool> _known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>For logs: unique on this device.</summary>
    public string Id { get; } = id;

    /// <summary>Later connections have larger numbers: of two of one client the later one counts.</summary>
    internal long Number { get; } = Interlocked.Increment(ref _lastNumber);

    /// <summary>The dialect's name.</summary>
    public string Codec { get; } = codec;

    /// <summary>Frames in and out; the transport owns and completes it.</summary>
    public IDuplexPipe Frames { get; } = frames;

    /// <summary>
    /// Who is there; null = nobody known yet, whose first message says it. Null stays for <see cref="LinkOptions.AuthenticationTimeout"/> at most, then the
    /// connection ends.
    /// </summary>
    public ClaimsPrincipal? Principal
    {
        get => _principal;
        init => Become(value);
    }

    /// <summary>What that allows.</summary>
    internal Grant Grant => Volatile.Read(ref _grant);

    /// <summary>Completes when it is known who is there; with false where the connection has ended before.</summary>
    internal Task<bool> Known => _known.Task;

    /// <summary>Called when it has become known who is there, on the thread that has found out.</summary>
    internal Action? Became { get; set; }

    /// <summary>From where it comes. Default <see cref="Caller.Here"/>.</summary>
    public Caller Caller { get; init; } = Caller.Here;

    /// <summary>What a start means that says nothing else.</summary>
    public RunDefaults Defaults { get; init; } = new();

    /// <summary>A text that the client chose and that dialects give back ("client" of Further-Link). Default "".</summary>
    public string Label { get; init; } = "";

    /// <summary>Names of protocol extensions that the client asked for; "*" = all.</summary>
    public IReadOnlySet<string> Extensions { get; init; } = new HashSet<string>();

    /// <summary>Programs wait for this connection's client; false = it misses what it is too slow for. Default true.</summary>
    public bool Lossless { get; init; } = true;

    /// <summary>
    /// The client hears on after the end of its input: what it has asked for before is answered, and it is told the exits of programs that end
    /// with it, for a second at most. For pipes and sockets, whose ends close one by one. Default false.
    /// </summary>
    public bool HearsEnd { get; init; }

    /// <summary>The connection carries several clients, told apart by <see cref="ClientMessage.Client"/>.</summary>
    public bool ManyClients { get; init; }

    /// <summary>What the client asks for by connecting: carried out before its first frame. Null = nothing.</summary>
    public ClientMessage? Opening { get; init; }

    /// <summary>Anything its transport wants to find again in the dialect's codec and services (<see cref="Peer.Tag"/>).</summary>
    public object? Tag { get; init; }

    /// <summary>How many bytes of frames reached the transport's other end before it lost it; <see cref="long.MaxValue"/> = it has not.</summary>
    internal long Taken => Volatile.Read(ref _taken);

    /// <summary>It is known now who is there, or somebody else.</summary>
    internal void Become(ClaimsPrincipal? principal)
    {
        _principal = principal;
        Volatile.Write(ref _grant, Grant.Of(principal));
        if (principal is not null)
            _known.TrySetResult(true);
        Became?.Invoke();
    }

    /// <summary>It has ended: whom nobody knows by now stays unknown.</summary>
    internal void End() => _known.TrySetResult(false);

    /// <summary>
    /// Called by the transport when it cannot reach its client any more and before it throws frames away: what they hold does not count as received
    /// then. What the client has said is still carried out. Any thread.
    /// </summary>
    /// <param name="taken">Bytes of all frames that it has sent whole, their headers in the pipe included.</param>
    public void Lose(long taken) => Volatile.Write(ref _taken, taken);

    /// <summary>The longest message its client may send, in bytes; null, the default = <see cref="LinkOptions.MaxMessage"/>.</summary>
    public int? MaxMessage { get; init; }

    /// <summary>
    /// Which part of the turns that output and long messages (<see cref="Peer.SendAsync"/>) take is the long messages', while both wait: more
    /// than 0, at most 1. Default 0.5.
    /// </summary>
    public double LongShare { get; init; } = 0.5;

    /// <summary>The longest piece of output in one message, in bytes. Default 64 KiB.</summary>
    public int MaxChunk { get; init; } = 64 * 1024;
}

/// <summary>What a start means that says nothing else.</summary>
public sealed record RunDefaults
{
    /// <summary>The user to run as; null = the server's default.</summary>
    public string? User { get; init; }

    /// <summary>The terminal to run on; null = pipes.</summary>
    public TerminalSize? Terminal { get; init; }
}
