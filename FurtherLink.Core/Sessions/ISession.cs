using System.Buffers;
using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>One running program with its log, seen by any number of clients. Disposing ends the program. Thread safe.</summary>
public interface ISession : IAsyncDisposable
{
    /// <summary>The global id, unique on this device.</summary>
    string Id { get; }

    /// <summary>What it is now: a snapshot.</summary>
    SessionInfo Info { get; }

    /// <summary>All its output, by byte offset.</summary>
    OutputLog Output { get; }

    /// <summary>What happens beside the output: video, keys, presence.</summary>
    SessionNotices Notices { get; }

    /// <summary>What its terminal shows; null where it has none.</summary>
    SessionScreen? Screen { get; }

    /// <summary>Who is attached, and who of them drives.</summary>
    SessionMembers Members { get; }

    /// <summary>Completes after the program has ended and its last byte is in the log. Never faults.</summary>
    Task<ExitStatus> Exited { get; }

    /// <summary>
    /// Writes to the program's input, in the order of the calls. The bytes are written or copied before the call returns; the task
    /// completes when they are within the input bound (256 KiB), of a numbered input when the program has taken them.
    /// </summary>
    /// <param name="input">The bytes.</param>
    /// <param name="options">Its end and its number.</param>
    /// <param name="cancellationToken">Ends the waiting, not the writing.</param>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.InputStalled"/>: the program has not read for 2 s, none of it was written;
    /// <see cref="FailureCode.InputClosed"/>: the program has closed its input; <see cref="FailureCode.BadValue"/>: a number out of order.
    /// </exception>
    ValueTask WriteAsync(ReadOnlySequence<byte> input, InputOptions options, CancellationToken cancellationToken);

    /// <summary>Resizes, signals, sends a key, or ends the input (which keeps its place behind the writes before it).</summary>
    /// <exception cref="LinkException">It cannot be done: no terminal, input ended already.</exception>
    ValueTask ControlAsync(SessionControl control, CancellationToken cancellationToken);
}
