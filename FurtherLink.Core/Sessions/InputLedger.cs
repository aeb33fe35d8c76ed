using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>
/// Numbered inputs, so that each is taken once however often it is sent: of every client the number accepted last, and what waits to be
/// taken by the program. Guarded by its owner's lock.
/// </summary>
/// <param name="taken">Called when the program has taken an input.</param>
internal sealed class InputLedger(Action<InputMark> taken)
{
    // A client that is forgotten while its inputs are under way would have them twice: these many are remembered beyond those.
    private const int MaxClients = 64;
    private const int MaxPending = 4096;

    private readonly List<Client> _clients = []; // the latest last
    private readonly Queue<Pending> _put = new();
    private int _pending;

    /// <summary>Checks an input's number.</summary>
    /// <param name="mark">By what it is known.</param>
    /// <param name="earlier">Of one that was sent before: completes when the program has taken it.</param>
    /// <returns>Whether it was sent before; one that was not is taken in by <see cref="Accept"/>.</returns>
    /// <exception cref="LinkException">It is not the next one, or too many wait.</exception>
    public bool TryFind(InputMark mark, [NotNullWhen(true)] out Task? earlier)
    {
        earlier = null;
        var client = _clients.Find(one => one.Id == mark.ClientId);
        var accepted = client?.Accepted ?? 0;
        if (mark.Sequence <= accepted && mark.Sequence > 0)
        {
            earlier = client!.Waiting.Find(pending => pending.Mark == mark)?.Done.Task ?? Task.CompletedTask;
            return true;
        }

        if (mark.Sequence != accepted + 1)
            throw new LinkException(FailureCode.BadValue, $"input {mark.Sequence} is out of order: {accepted + 1} is next");
        if (_pending >= MaxPending)
            throw new LinkException(FailureCode.Limited, $"{MaxPending} numbered inputs wait for the program already; nothing of this one was written");
        return false;
    }

    /// <summary>Takes in a new input.</summary>
    public Pending Accept(InputMark mark)
    {
        var client = _clients.Find(one => one.Id == mark.ClientId) ?? new Client(mark.ClientId);
        _clients.Remove(client);
        _clients.Add(client);
        if (_clients.Count > MaxClients && _clients.Find(one => one.Waiting.Count == 0) is { } oldest)
            _clients.Remove(oldest);
        var pending = new Pending(mark);
        client.Accepted = mark.Sequence;
        client.Waiting.Add(pending);
        _pending++;
        return pending;
    }

    /// <summary>An input was handed to the program's pipe, up to an offset in all that ever was.</summary>
    public void Put(Pending pending, long end)
    {
        pending.End = end;
        _put.Enqueue(pending);
    }

    /// <summary>The program has taken what lies below an offset.</summary>
    public void Take(long offset)
    {
        while (_put.TryPeek(out var first) && first.End <= offset)
        {
            _put.Dequeue();
            Remove(first);
            taken(first.Mark);
            first.Done.TrySetResult();
        }
    }

    /// <summary>An input was not written after all: it and what came behind it is to be sent again.</summary>
    public void TakeBack(Pending pending, LinkException why)
    {
        var client = _clients.Find(one => one.Id == pending.Mark.ClientId);
        if (client is null || client.Accepted < pending.Mark.Sequence)
            return;
        client.Accepted = pending.Mark.Sequence - 1;
        foreach (var later in client.Waiting.FindAll(one => one.Mark.Sequence >= pending.Mark.Sequence))
        {
            Remove(later);
            later.Done.TrySetException(why);
        }
    }

    /// <summary>The program takes nothing any more: what it has not taken never counts as taken, however often it is sent again.</summary>
    public void Close(LinkException why)
    {
        _put.Clear();
        foreach (var client in _clients.Where(client => client.Waiting.Count > 0))
        {
            client.Accepted = client.Waiting[0].Mark.Sequence - 1;
            foreach (var pending in client.Waiting)
                pending.Done.TrySetException(why);
            client.Waiting.Clear();
        }

        _pending = 0;
    }

    private void Remove(Pending pending)
    {
        if (_clients.Find(one => one.Id == pending.Mark.ClientId)?.Waiting.Remove(pending) == true)
            _pending--;
    }

    /// <summary>An input that was accepted and that the program has not taken yet.</summary>
    internal sealed class Pending(InputMark mark)
    {
        public InputMark Mark { get; } = mark;

        public long End { get; set; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Client(string id)
    {
        public string Id { get; } = id;

        public long Accepted { get; set; }

        public List<Pending> Waiting { get; } = [];
    }
}
