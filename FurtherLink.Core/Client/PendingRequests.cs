using System.Collections.Concurrent;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>What a client has asked for and not been answered yet, by the reference that the answer repeats. Thread safe.</summary>
internal sealed class PendingRequests
{
    // One that is lost with its connection again and again may be what loses it.
    private const int MostLosses = 3;

    private readonly ConcurrentDictionary<string, Request> _requests = new(StringComparer.Ordinal);
    private long _last;

    /// <summary>Gives a message a reference, under which its answer will be known.</summary>
    /// <returns>The answer.</returns>
    public Task<ServerMessage> Add(ClientMessage message)
    {
        message.Ref = Interlocked.Increment(ref _last).ToString();
        var request = new Request(message);
        _requests[message.Ref] = request;
        return request.Answer.Task;
    }

    /// <summary>Waits for an answer; after that nobody else does.</summary>
    public async Task<ServerMessage> WaitAsync(ClientMessage message, Task<ServerMessage> answer, CancellationToken cancellationToken)
    {
        try
        {
            return await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Forget(message);
        }
    }

    /// <summary>Nobody waits for an answer any more.</summary>
    public void Forget(ClientMessage message) => _requests.TryRemove(message.Ref!, out _);

    /// <summary>Hands an answer on.</summary>
    /// <returns>False where nobody waits for it.</returns>
    public bool Answer(ServerMessage message) => message.Ref is { } reference && Answer(reference, message);

    /// <summary>Hands an answer on that carries another reference.</summary>
    public bool Answer(string reference, ServerMessage message) =>
        _requests.TryRemove(reference, out var request) && request.Answer.TrySetResult(message);

    /// <summary>A request was refused.</summary>
    public void Fail(string reference, LinkException why)
    {
        if (_requests.TryRemove(reference, out var request))
            request.Answer.TrySetException(why);
    }

    /// <summary>No answer will come any more.</summary>
    public void Fail(LinkException why)
    {
        foreach (var reference in _requests.Keys)
            Fail(reference, why);
    }

    /// <summary>
    /// After a lost connection: the requests that may be sent again, since doing them twice is doing them once. The others fail, but for starts and
    /// attaches, which are taken up with their sessions.
    /// </summary>
    public IEnumerable<ClientMessage> TakeUnanswered()
    {
        var again = new List<ClientMessage>();
        foreach (var (reference, request) in _requests)
        {
            if (++request.Losses > MostLosses)
            {
                Fail(reference, new LinkConnectException("the connection was lost each time that this was asked for; it may be longer than what the device takes as one message"));
                continue;
            }

            switch (request.Message)
            {
                case Start or Attach:
                    break;
                case Ping or Stop or Detach or Control { Action: Resize } or Call { Name: "sessions.list" }:
                    again.Add(request.Message);
                    break;
                default:
                    Fail(reference, new LinkConnectException("the connection was lost before the answer; whether it was carried out is not known"));
                    break;
            }
        }

        return again;
    }

    private sealed record Request(ClientMessage Message)
    {
        public int Losses { get; set; }

        public TaskCompletionSource<ServerMessage> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
