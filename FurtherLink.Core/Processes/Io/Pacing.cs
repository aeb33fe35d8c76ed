using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Processes.Io;

/// <summary>
/// Puts off what prints without end while others answer to typing: it then shares a tenth of the time, so that programs, kernel and clients between
/// a key and its echo find a processor that is free. Belongs to the loop's thread.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class Pacing(TimeProvider time)
{
    // One part in so many of the time goes to what is put off.
    private const int Share = 10;
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(1); // the kernel's own step
    private static readonly TimeSpan AnswersFor = TimeSpan.FromMilliseconds(500);

    private readonly Queue<LoopWork> _waiting = new();
    private readonly List<(LoopWork Work, long Since)> _answering = [];
    private long _restSince;
    private TimeSpan _rest;

    /// <summary>How long the next turn of what is put off has to wait still, zero or less = not at all; null = nothing is.</summary>
    public TimeSpan? Rest => _waiting.Count == 0 ? null : _rest - time.GetElapsedTime(_restSince);

    /// <summary>Something answers to typing: for half a second others may be put off.</summary>
    public void Answers(LoopWork work)
    {
        AnswersNoMore(work);
        _answering.Add((work, time.GetTimestamp()));
    }

    /// <summary>What it prints is no answer any more, or not to a person.</summary>
    public void AnswersNoMore(LoopWork work)
    {
        for (var i = _answering.Count - 1; i >= 0; i--)
        {
            if (_answering[i].Work == work)
                _answering.RemoveAt(i);
        }
    }

    /// <summary>Whether others answer to typing now.</summary>
    public bool OthersAnswer(LoopWork work)
    {
        if (_answering.Count == 0)
            return false;
        var now = time.GetTimestamp();
        var others = false;
        for (var i = _answering.Count - 1; i >= 0; i--)
        {
            var (answers, since) = _answering[i];
            if (time.GetElapsedTime(since, now) > AnswersFor)
                _answering.RemoveAt(i);
            else
                others |= answers != work;
        }

        return others;
    }

    /// <summary>Puts something's turn off where it may and has to wait.</summary>
    /// <returns>False where it has its turn now.</returns>
    public bool TryPutOff(LoopWork work)
    {
        if (!Waits(work))
            return false;
        _waiting.Enqueue(work);
        return true;
    }

    /// <summary>Takes out what need not wait any more, and after a rest one that has to.</summary>
    /// <param name="turns">Where what need not wait goes.</param>
    /// <param name="next">Who has a turn now: to be followed by <see cref="TurnTook"/>.</param>
    /// <returns>False where nobody has.</returns>
    public bool TryTake(Queue<LoopWork> turns, [NotNullWhen(true)] out LoopWork? next)
    {
        next = null;
        if (Rest is not { } rest || rest > TimeSpan.Zero)
            return false;
        for (var left = _waiting.Count; left > 0; left--)
        {
            var work = _waiting.Dequeue();
            (Waits(work) ? _waiting : turns).Enqueue(work);
        }

        return _waiting.TryDequeue(out next);
    }

    /// <summary>The turn is over: others have theirs for a while.</summary>
    /// <param name="start">When it began.</param>
    public void TurnTook(long start)
    {
        _restSince = time.GetTimestamp();
        _rest = (Share - 1) * time.GetElapsedTime(start, _restSince);
        if (_rest < ShortestRest)
            _rest = ShortestRest;
    }

    private bool Waits(LoopWork work) => work.MayWait() && OthersAnswer(work);
}
