using System.IO.Pipelines;

namespace FurtherLink.Client;

/// <summary>One open connection of a client: frames both ways, until it is disposed.</summary>
/// <param name="frames">
/// The client's end of a pair of pipes (<see cref="LinkPipe"/>). Its input completes when the connection ends; the client completes it before it
/// disposes this.
/// </param>
/// <param name="close">Says goodbye and lets go of what is beneath; called once. Null = nothing.</param>
/// <param name="explain">Says why the other side has ended the connection, in words, where it knows; called once after that. Null = it never does.</param>
public sealed class ClientLink(IDuplexPipe frames, Func<ValueTask>? close = null, Func<ValueTask<string?>>? explain = null) : IAsyncDisposable
{
    private Func<ValueTask>? _close = close;

    /// <summary>Frames in and out.</summary>
    public IDuplexPipe Frames { get; } = frames;

    /// <summary>Why the other side has ended the connection, in words; null = it has not said.</summary>
    public ValueTask<string?> ExplainAsync() => explain?.Invoke() ?? new ValueTask<string?>((string?)null);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _close, null) is { } close ? close() : ValueTask.CompletedTask;
}
