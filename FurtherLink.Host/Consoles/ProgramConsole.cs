using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>
/// Joins a session to this process's standard streams, its terminal and its signals, until the program has ended and all its output is written, or
/// the person leaves. Whoever reads the output slowly slows the program; nothing is kept beyond the client's window.
/// </summary>
internal sealed class ProgramConsole
{
    // Read at once of piped input.
    private const int Piece = 64 * 1024;

    private static readonly TimeSpan SecondInterrupt = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BrokenPipe = TimeSpan.FromSeconds(1);

    private readonly ClientSession _session;
    private readonly Notes _notes;
    private readonly ProgramConsoleOptions _options;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<int> _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private Task _interrupt = Task.CompletedTask;
    private long _interruptedAt;
    private readonly OutputCopy _copy;
    private TerminalSize _size;

    /// <summary>Makes it.</summary>
    /// <param name="session">The session, of which nobody else reads.</param>
    /// <param name="notes">What is said beside the output.</param>
    /// <param name="options">How it is joined.</param>
    /// <param name="time">The clock.</param>
    public ProgramConsole(ClientSession session, Notes notes, ProgramConsoleOptions options, TimeProvider time)
    {
        _session = session;
        _notes = notes;
        _options = options;
        _time = time;
        _size = session.Info.Terminal ?? default;
        _copy = new OutputCopy(notes, exitCode => _ = BreakAsync(exitCode));
    }

    /// <summary>Runs until the program has ended or the person has left.</summary>
    /// <param name="first">What is written first; empty = nothing.</param>
    /// <returns>The exit code of the command.</returns>
    public async Task<int> RunAsync(ReadOnlyMemory<byte> first)
    {
        using var signals = new ConsoleSignals(number => _ = OnSignalAsync(number));
        using var output = StandardStream.OpenOutput();
        using var error = StandardStream.OpenError();
        using var input = StandardStream.OpenInput();
        try
        {
            EnterTerminal();
            var ended = EndAsync(Task.WhenAll(WriteAsync(first, _session.Output, output), WriteAsync(default, _session.Error, error)));
            _ = ReadAsync(input);
            var over = await Task.WhenAny(ended, _left.Task);
            _notes.End();
            if (over == _left.Task && _options.Terminal is not null && _copy.ExitCode is null)
                await ResetAsync(output);
            return await over;
        }
        finally
        {
            _options.Terminal?.Dispose();
            _notes.IsRaw = false;
            if (_left.Task.IsCompletedSuccessfully && await _left.Task == 0 && _options.Farewell is { } farewell)
                _notes.Say(farewell);
        }
    }

    private void EnterTerminal()
    {
        if (_options.Terminal is not { } terminal)
            return;
        if (terminal.IsInput)
        {
            terminal.EnterRaw();
            _notes.IsRaw = true;
        }

        if (_options.IsView)
            return;
        terminal.WatchSize(() => _ = ResizeAsync(terminal));

        // It may have changed since the program was started.
        _ = ResizeAsync(terminal);
    }

    // Behind it no output comes that would undo it: the main screen, no mouse, no bracketed paste, a visible cursor, then all that DECSTR resets, and a line of its own for what comes next.
    private Task ResetAsync(StandardStream output) =>
        _copy.EndAsync(new ReadOnlySequence<byte>("\e[?1049l\e[?1000l\e[?1002l\e[?1003l\e[?1006l\e[?2004l\e[?25h\e[!p\e[0m\r\n"u8.ToArray()), output);

    private async Task ResizeAsync(LocalTerminal terminal)
    {
        try
        {
            lock (_lock)
            {
                var size = terminal.Size;
                if (size == _size)
                    return;
                _size = size;
            }

            await _session.ResizeAsync(_size);
        }
        catch (LinkException)
        {
            // It has ended, or another drives: then the terminal has the other's size.
        }
    }

    /// <summary>Waits until all output is written, and gives what the command ends with.</summary>
    private async Task<int> EndAsync(Task written)
    {
        try
        {
            await written;
            var status = await _session.Exited;
            if (status.Reason is { } reason)
                _notes.Complain($"the program was ended: {reason}");
            return _copy.ExitCode ?? ExitCodes.Of(status);
        }
        catch (LinkException e)
        {
            // To leave ends it, too.
            if (!_left.Task.IsCompleted)
                _notes.Complain(e.Message);
            return ExitCodes.Refused;
        }
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> first, PipeReader reader, StandardStream stream)
    {
        await _copy.WriteAsync(new ReadOnlySequence<byte>(first), stream);
        await _copy.CopyAsync(reader, stream);
    }

    /// <summary>The output goes nowhere any more: the program hears of it as one that writes into such a pipe.</summary>
    private async Task BreakAsync(int exitCode)
    {
        if (_options.Owns)
        {
            await SignalAsync(ConsoleSignals.Pipe);
            await Task.WhenAny(_session.Exited, Task.Delay(BrokenPipe, _time));
        }

        Leave(exitCode);
    }

    private void Leave(int exitCode) => _left.TrySetResult(exitCode);

    private async Task ReadAsync(StandardStream input)
    {
        try
        {
            if (_options is { Terminal.IsInput: true } or { IsView: true })
                await new TypedInput(_session, _notes, _options).RunAsync(input, Leave);
            else
                await PipeAsync(input);
        }
        catch (IOException e)
        {
            _notes.Complain($"standard input cannot be read: {e.Message}");
        }
        catch (LinkException e) when (e.Code is FailureCode.InputClosed or FailureCode.NotFound || _session.Exited.IsCompleted)
        {
            // The program takes no more, as when a pipe's reader has closed it.
        }
        catch (LinkException e)
        {
            _notes.Complain($"the program gets no more input: {e.Message}");
        }
    }

    private async Task PipeAsync(StandardStream input)
    {
        var buffer = new byte[Piece];
        if (!_session.Drives)
            await WaitForTurnAsync();
        while (await input.ReadAsync(buffer) is > 0 and var count)
            await _session.WriteAsync(buffer.AsMemory(0, count));
        if (_options.Owns)
            await _session.CompleteInputAsync();
    }

    /// <summary>Input that is piped in is not lost while another drives: it waits.</summary>
    private async Task WaitForTurnAsync()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _session.Noticed += Look;
        if (_session.Drives)
            turn.TrySetResult();
        await Task.WhenAny(turn.Task, _session.Exited);
        _session.Noticed -= Look;

        void Look(object? sender, NoticeEventArgs e)
        {
            if (_session.Drives)
                turn.TrySetResult();
        }
    }

    private async Task OnSignalAsync(int number)
    {
        // A terminal that is gone, or somebody who wants this command to end, not its program to hear of it.
        var isOurs = _options.Terminal is { IsInput: true } && number is ConsoleSignals.HangUp or ConsoleSignals.Terminate;
        if (!_options.Owns || isOurs || _notes.IsLost)
        {
            Leave(ExitCodes.OfSignal(number));
            return;
        }

        if (number == ConsoleSignals.Interrupt && IsSecondInterrupt())
        {
            Leave(ExitCodes.OfSignal(number));
            return;
        }

        var sent = SignalAsync(number);
        if (number == ConsoleSignals.Interrupt)
        {
            lock (_lock)
                (_interrupt, _interruptedAt) = (sent, _time.GetTimestamp());
        }

        // Where the program has ended, what is left is output that nobody takes.
        if (!await sent)
            Leave(ExitCodes.OfSignal(number));
    }

    private bool IsSecondInterrupt()
    {
        lock (_lock)
            return !_interrupt.IsCompleted && _time.GetElapsedTime(_interruptedAt) < SecondInterrupt;
    }

    private async Task<bool> SignalAsync(int number)
    {
        try
        {
            await _session.SignalAsync(number);
            return true;
        }
        catch (LinkException)
        {
            return false;
        }
    }
}
