using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Client.Consoles;

/// <summary>
/// A program on a terminal that is driven as by a person: waits for what it prints or for what its screen shows, and types. It reads the
/// session's output itself, all of it and at once. Thread safe; one at a time waits for text.
/// </summary>
/// <remarks>
/// Nothing depends on how output is cut into pieces, or on how long a program is quiet: wait for what shows that it is ready, then type.
/// What is waited for may be there already.
/// </remarks>
public sealed class ConsoleSession : IAsyncDisposable
{
    private readonly ConsoleState _state;
    // Who sends has his turn: answers first, since they were asked for first.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _answers = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _isDisposed;

    internal ConsoleSession(ClientSession session, ConsoleOptions options, bool answers, TimeProvider time)
    {
        Session = session;
        _state = new ConsoleState(session.Info.Terminal, options, answers, time, session.StartOffset);
        if (session.Screen is { } screen)
            _state.Restore(screen.Span);
        session.Missed += OnMissed;
        session.Noticed += OnNoticed;
        // What happened before anybody listened.
        _state.Miss(session.MissedBytes);
        if (session.Info.Terminal is { } size)
            _state.Resize(size);
        _running = Task.WhenAll(RunAsync(), AnswerAsync());
    }

    /// <summary>The session; its output is read already.</summary>
    public ClientSession Session { get; }

    /// <summary>Completes when the program has ended and all its output is here, see <see cref="ClientSession.Exited"/>.</summary>
    public Task<ExitStatus> Exited => Session.Exited;

    /// <summary>What the terminal shows now.</summary>
    public ConsoleScreen Screen => _state.Screen;

    /// <summary>The text that nothing has matched yet.</summary>
    public string Text => _state.Text;

    /// <summary>What was received and sent, oldest first, as much as <see cref="ConsoleOptions.TranscriptLimit"/> keeps.</summary>
    public IReadOnlyList<TranscriptEntry> Transcript => _state.Transcript;

    /// <summary>Waits until a pattern matches the text since the last match, and takes the text up to the match's end.</summary>
    /// <param name="pattern">A string, a <see cref="System.Text.RegularExpressions.Regex"/>, or <see cref="Expectation.End"/>.</param>
    /// <param name="timeout">How long; null = as the options say. Zero = it must be there.</param>
    /// <param name="cancellationToken">Ends the waiting; no text is taken.</param>
    /// <exception cref="ExpectException">It did not come; the message is a report.</exception>
    public Task<ExpectMatch> ExpectAsync(Expectation pattern, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return _state.ExpectAsync([pattern], timeout, cancellationToken);
    }

    /// <summary>
    /// As <see cref="ExpectAsync(Expectation, TimeSpan?, CancellationToken)"/>, of any of several: the one that is complete first in the text, and of those the one named first.
    /// </summary>
    public Task<ExpectMatch> ExpectAsync(Expectation[] patterns, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        ArgumentOutOfRangeException.ThrowIfZero(patterns.Length, nameof(patterns));
        return _state.ExpectAsync([.. patterns], timeout, cancellationToken);
    }

    /// <summary>
    /// Waits until the screen satisfies a condition: looked at now, and after every piece of output. A program may be about to print the rest of
    /// its screen: let the condition name what comes last, as the place of the cursor.
    /// </summary>
    /// <param name="condition">Called by one thread at a time; must not wait.</param>
    /// <param name="timeout">How long; null = as the options say. Zero = it must be so.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="words">What is waited for, in words, for the report; by itself what stands in the source.</param>
    /// <returns>The screen that satisfied it.</returns>
    /// <exception cref="ExpectException">It did not come; the message is a report.</exception>
    public Task<ConsoleScreen> ExpectScreenAsync(
        Func<ConsoleScreen, bool> condition,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default,
        [CallerArgumentExpression(nameof(condition))] string words = "")
    {
        ArgumentNullException.ThrowIfNull(condition);
        return _state.ExpectScreenAsync(condition, $"a screen with {words}", timeout, cancellationToken);
    }

    /// <summary>Waits until a text stands in a row of the screen.</summary>
    /// <inheritdoc cref="ExpectScreenAsync(Func{ConsoleScreen, bool}, TimeSpan?, CancellationToken, string)"/>
    public Task<ConsoleScreen> ExpectScreenAsync(string text, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return _state.ExpectScreenAsync(screen => screen.Contains(text), $"a screen with \"{VisibleText.Of(text)}\"", timeout, cancellationToken);
    }

    /// <summary>Waits for the program's end, and takes the rest of the text.</summary>
    /// <param name="timeout">How long; null = as the options say.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ExpectException">It did not end; the message is a report.</exception>
    public Task<ConsoleEnd> ExpectEndAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _state.ExpectEndAsync(timeout, cancellationToken);

    /// <summary>Types text. Completes when it is sent, see <see cref="ClientSession.WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <param name="text">What is typed, in UTF-8.</param>
    /// <param name="secret">Whether the transcript hides it. What the program prints of it shows.</param>
    /// <param name="cancellationToken">Ends the waiting; what has been sent until then stays sent.</param>
    /// <exception cref="ExpectException">The program takes no input, or another drives; the message is a report.</exception>
    public Task SendAsync(string text, bool secret = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return WriteAsync(text, secret, cancellationToken);
    }

    /// <summary>Types text and Enter: "\r" on a terminal, "\n" without one.</summary>
    /// <inheritdoc cref="SendAsync(string, bool, CancellationToken)"/>
    public Task SendLineAsync(string text = "", bool secret = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return WriteAsync(text + (Session.Info.Terminal is null ? "\n" : "\r"), secret, cancellationToken);
    }

    /// <summary>
    /// Presses keys one after the other: <see cref="Keys"/>, <see cref="Ctrl"/>, <see cref="Alt"/>, text. The cursor keys send what the program has
    /// asked the terminal for until now.
    /// </summary>
    /// <exception cref="ExpectException">The program takes no input, or another drives; the message is a report.</exception>
    public Task SendKeysAsync(params TerminalKey[] keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return WriteAsync(_state.Spell(keys), secret: false, default);
    }

    /// <summary>Sets the terminal's size, of the screen too.</summary>
    /// <exception cref="LinkException">There is no terminal, the size is not valid, or another drives.</exception>
    public async Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken = default)
    {
        var before = Session.Info.Terminal;
        // What the program prints because of it may be here before the answer.
        if (before is not null && size.IsValid)
            _state.Resize(size);
        try
        {
            await Session.ResizeAsync(size, cancellationToken).ConfigureAwait(false);
        }
        catch (LinkException) when (before is not null)
        {
            _state.Resize(before.Value);
            throw;
        }
    }

    /// <summary>Ends the program and everything it started, and waits for its end.</summary>
    /// <returns>How it ended.</returns>
    /// <exception cref="LinkException">It may not, or the session is lost.</exception>
    public Task<ExitStatus> StopAsync(CancellationToken cancellationToken = default) => Session.StopAsync(cancellationToken);

    /// <summary>Ends the session as <see cref="ClientSession.DisposeAsync"/> does. Who waits for something gets an <see cref="ExpectException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            await _running.ConfigureAwait(false);
            return;
        }

        // Reading stops first: a session that ends reads what is left of its output itself.
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        await Session.DisposeAsync().ConfigureAwait(false);
        Session.Missed -= OnMissed;
        Session.Noticed -= OnNoticed;
        _stop.Dispose();
        _answers.Dispose();
    }

    private async Task WriteAsync(string text, bool secret, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await WriteAnswersAsync(cancellationToken).ConfigureAwait(false);
            _state.Send(text, secret);
            await Session.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            throw _state.NotSent(e);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task WriteAnswersAsync(CancellationToken cancellationToken)
    {
        var answers = _state.TakeAnswers();
        if (answers.Length > 0)
            await Session.WriteAsync(answers, cancellationToken).ConfigureAwait(false);
    }

    // Apart from reading: a program that does not read the answers may have to be read from first.
    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                await _answers.WaitAsync(_stop.Token).ConfigureAwait(false);
                await _turn.WaitAsync(_stop.Token).ConfigureAwait(false);
                try
                {
                    await WriteAnswersAsync(_stop.Token).ConfigureAwait(false);
                }
                catch (LinkException)
                {
                    // It takes no input, or another drives, who answers.
                }
                finally
                {
                    _turn.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // There is nobody to answer any more.
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await Task.WhenAll(ReadAsync(Session.Output, OutputKind.Out), ReadAsync(Session.Error, OutputKind.Error)).ConfigureAwait(false);
            _state.End(await Session.Exited.WaitAsync(_stop.Token).ConfigureAwait(false), null);
        }
        catch (LinkException e)
        {
            _state.End(null, e);
        }
        catch (OperationCanceledException)
        {
            _state.End(null, new LinkException(FailureCode.NotFound, "the console was disposed of"));
        }
    }

    private async Task ReadAsync(PipeReader reader, OutputKind kind)
    {
        while (true)
        {
            var result = await reader.ReadAsync(_stop.Token).ConfigureAwait(false);
            var asks = false;
            foreach (var part in result.Buffer)
                asks |= _state.Receive(kind, part.Span);
            reader.AdvanceTo(result.Buffer.End);
            if (asks && _answers.CurrentCount == 0)
                _answers.Release();
            if (result.IsCompleted)
                return;
        }
    }

    private void OnMissed(object? sender, MissedEventArgs e) => _state.Miss(Session.MissedBytes);

    private void OnNoticed(object? sender, NoticeEventArgs e)
    {
        if (e.Notice is { Topic: "resize", Body: TerminalSize size })
            _state.Resize(size);
    }
}
