using System.Globalization;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Terminals;

namespace FurtherLink.Client.Consoles;

/// <summary>
/// What a console knows of its program: the text that nothing has matched, the screen, what happened, how it ended; and who waits for what. It
/// is told all of it, and does nothing by itself but to end waits. Thread safe.
/// </summary>
internal sealed class ConsoleState
{
    // A part of the least that is kept, so that a match in a long piece is found before its beginning goes.
    private const int Slice = ConsoleOptions.MinLimit / 4;

    private readonly Lock _lock = new();
    private readonly ConsoleOptions _options;
    private readonly TimeProvider _time;
    private readonly PrintedText _out;
    private readonly PrintedText _error;
    private readonly UnmatchedText _text;
    private readonly Transcript _transcript;
    private readonly TerminalAnswers _answers = new();
    private readonly TerminalScreen _screen;
    private readonly List<ConsoleWait> _waits = [];
    private readonly int _slice;
    private ConsoleScreen? _shown;
    private long _offset;
    private long _missed;
    private bool _isEnded;
    private ExitStatus? _exit;
    private Exception? _lost;

    /// <summary>A console before its program has printed anything.</summary>
    /// <param name="terminal">Its terminal's size; null = it has none, and each "\n" begins a row of the screen.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="answers">Whether it answers what the program asks the terminal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="offset">The offset of the first byte that will come.</param>
    public ConsoleState(TerminalSize? terminal, ConsoleOptions options, bool answers, TimeProvider time, long offset = 0)
    {
        (_options, _time, _offset) = (options, time, offset);
        (_out, _error) = (new PrintedText(options.Raw), new PrintedText(options.Raw));
        _text = new UnmatchedText(options.TextLimit);
        _transcript = new Transcript(options.TranscriptLimit, time);
        _screen = new TerminalScreen(terminal ?? options.Size, answers && terminal is not null ? _answers : null);
        _slice = Math.Max(Slice, options.TextLimit / 16);
        if (terminal is null)
            _screen.Write("\e[20h"u8);
    }

    /// <summary>What the terminal shows.</summary>
    public ConsoleScreen Screen
    {
        get
        {
            lock (_lock)
                return Show();
        }
    }

    /// <summary>The text that nothing has matched.</summary>
    public string Text
    {
        get
        {
            lock (_lock)
                return _text.Span.ToString();
        }
    }

    /// <summary>What was received and sent.</summary>
    public IReadOnlyList<TranscriptEntry> Transcript
    {
        get
        {
            lock (_lock)
                return _transcript.ToList();
        }
    }

    /// <summary>What the terminal showed before the first byte that comes.</summary>
    public void Restore(ReadOnlySpan<byte> snapshot)
    {
        lock (_lock)
            _screen.Write(snapshot);
    }

    /// <summary>Takes output.</summary>
    /// <returns>Whether there are answers to be sent.</returns>
    public bool Receive(OutputKind kind, ReadOnlySpan<byte> output)
    {
        lock (_lock)
        {
            while (!output.IsEmpty)
            {
                var slice = output[..Math.Min(output.Length, _slice)];
                output = output[slice.Length..];
                (kind == OutputKind.Error ? _error : _out).Write(slice, isEnd: false, _text, _transcript, _offset);
                _screen.Write(slice);
                _offset += slice.Length;
                Changed();
            }

            return !_answers.IsEmpty;
        }
    }

    /// <summary>Takes the answers that are to be sent before anything else.</summary>
    public byte[] TakeAnswers()
    {
        lock (_lock)
        {
            if (_answers.IsEmpty)
                return [];
            var answers = _answers.Take();
            _transcript.Add(TranscriptKind.Answered, Encoding.UTF8.GetString(answers), _offset);
            return answers;
        }
    }

    /// <summary>Output will never come.</summary>
    /// <param name="total">How many bytes in all until now.</param>
    public void Miss(long total)
    {
        lock (_lock)
        {
            var more = total - _missed;
            if (more <= 0)
                return;
            _transcript.Add(TranscriptKind.Note, string.Create(CultureInfo.InvariantCulture, $"{more} bytes of output never came"), _offset);
            _missed = total;
            _offset += more;
        }
    }

    /// <summary>Something is about to be sent.</summary>
    public void Send(string text, bool secret)
    {
        lock (_lock)
            _transcript.Add(TranscriptKind.Sent, secret ? "***" : text, _offset);
    }

    /// <summary>What keys send in the mode that the terminal is in.</summary>
    public string Spell(IReadOnlyList<TerminalKey> keys)
    {
        lock (_lock)
            return TerminalKey.Spell(keys, _screen.HasApplicationCursor);
    }

    /// <summary>The terminal has another size.</summary>
    public void Resize(TerminalSize size)
    {
        lock (_lock)
        {
            var before = _screen.Size;
            _screen.Resize(size);
            if (_screen.Size == before)
                return;
            _transcript.Add(TranscriptKind.Note, string.Create(CultureInfo.InvariantCulture, $"the terminal has {size.Rows} rows of {size.Columns} columns"), _offset);
            Changed();
        }
    }

    /// <summary>No more output will come.</summary>
    /// <param name="exit">How the program ended.</param>
    /// <param name="lost">Where it did not: why the session is lost.</param>
    public void End(ExitStatus? exit, Exception? lost)
    {
        lock (_lock)
        {
            if (_isEnded)
                return;
            (_isEnded, _exit, _lost) = (true, exit, lost);
            _out.Write([], isEnd: true, _text, _transcript, _offset);
            _error.Write([], isEnd: true, _text, _transcript, _offset);
            Changed();
            foreach (var wait in _waits)
                wait.Fail(Missing(wait.What));
            _waits.Clear();
        }
    }

    /// <summary>Waits for the first of several patterns.</summary>
    public Task<ExpectMatch> ExpectAsync(IReadOnlyList<Expectation> patterns, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var search = new PatternSearch(patterns);
        return WaitAsync(
            new ConsoleWait<ExpectMatch>(() => search.Find(_text, _exit is not null)) { What = search.ToString(), TakesText = true }, timeout, cancellationToken);
    }

    /// <summary>Waits until the screen satisfies a condition.</summary>
    public Task<ConsoleScreen> ExpectScreenAsync(Func<ConsoleScreen, bool> condition, string what, TimeSpan? timeout, CancellationToken cancellationToken) =>
        WaitAsync(new ConsoleWait<ConsoleScreen>(() => Show() is var shown && condition(shown) ? shown : null) { What = what }, timeout, cancellationToken);

    /// <summary>Waits for the program's end.</summary>
    public Task<ConsoleEnd> ExpectEndAsync(TimeSpan? timeout, CancellationToken cancellationToken) =>
        WaitAsync(
            new ConsoleWait<ConsoleEnd>(() => _exit is { } exit ? new ConsoleEnd(_text.Take(_text.Span.Length), exit) : null) { What = Expectation.End.ToString(), TakesText = true },
            timeout,
            cancellationToken);

    /// <summary>The exception for input that was refused.</summary>
    public ExpectException NotSent(Exception why)
    {
        lock (_lock)
            return Failure($"It could not be sent: {why.Message}.", ExpectFailure.NotSent, why);
    }

    private async Task<T> WaitAsync<T>(ConsoleWait<T> wait, TimeSpan? timeout, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var patience = timeout ?? _options.Timeout;
        if (patience < TimeSpan.Zero && patience != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "Not negative.");
        lock (_lock)
            Begin(wait);
        if (wait.Task.IsCompleted)
            return await wait.Task.ConfigureAwait(false);
        await using var timer = _time.CreateTimer(_ => GiveUp(wait, () => Missing(wait.What, patience)), null, patience, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        await using var cancellation = cancellationToken.Register(() => GiveUp(wait, () => new OperationCanceledException(cancellationToken))).ConfigureAwait(false);
        return await wait.Task.ConfigureAwait(false);
    }

    private void Begin(ConsoleWait wait)
    {
        if (wait.TakesText && _waits.Exists(other => other.TakesText))
            throw new InvalidOperationException("Somebody waits for text already, and only one can take it.");
        if (wait.Look())
            return;
        if (_isEnded)
            wait.Fail(Missing(wait.What));
        else
            _waits.Add(wait);
    }

    private void GiveUp(ConsoleWait wait, Func<Exception> why)
    {
        lock (_lock)
        {
            if (_waits.Remove(wait))
                wait.Fail(why());
        }
    }

    private void Changed()
    {
        _shown = null;
        _waits.RemoveAll(wait => wait.Look());
    }

    private ConsoleScreen Show() => _shown ??= new ConsoleScreen(_screen);

    private ExpectException Missing(string what, TimeSpan waited) =>
        Failure(string.Create(CultureInfo.InvariantCulture, $"Not seen within {waited.TotalSeconds:0.###} s: {what}. The program has not ended."), ExpectFailure.TimedOut, null);

    private ExpectException Missing(string what) => _exit is { } exit
        ? Failure($"The program ended ({Words(exit)}) before this was seen: {what}.", ExpectFailure.Ended, null)
        : Failure($"The session was lost ({_lost?.Message}) before this was seen: {what}.", ExpectFailure.Lost, _lost);

    private ExpectException Failure(string headline, ExpectFailure failure, Exception? inner) =>
        new(ConsoleReport.Write(headline, Show(), _text, _missed, _transcript.ToList()), failure, Show(), _exit, inner);

    private static string Words(ExitStatus exit)
    {
        var words = exit.Signal is { } signal
            ? string.Create(CultureInfo.InvariantCulture, $"by signal {signal}") : string.Create(CultureInfo.InvariantCulture, $"with exit code {exit.Code}");
        return exit.Reason is { } reason ? $"{words}: {reason}" : words;
    }
}
