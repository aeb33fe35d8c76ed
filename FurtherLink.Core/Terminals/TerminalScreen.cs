using System.Buffers;
using FurtherLink.Messages;

namespace FurtherLink.Terminals;

/// <summary>
/// What a terminal shows after the bytes that a program has printed: the visible rows, nothing that has scrolled away. Not thread safe.
/// Its memory is bounded by its size, whatever is written; cells that were never written take none.
/// </summary>
internal sealed class TerminalScreen
{
    private const int MaxSide = 1000;

    private readonly ScreenState _state;
    private readonly VtParser _parser;

    /// <summary>A terminal as after a reset.</summary>
    /// <param name="size">Rows and columns. 0 counts as 24 rows or 80 columns, more than 1000 as 1000.</param>
    /// <param name="answers">Gets what the program asks the terminal; null = nobody answers.</param>
    public TerminalScreen(TerminalSize size, TerminalAnswers? answers = null)
    {
        size = Fit(size);
        _state = new ScreenState(size.Rows, size.Columns);
        _parser = new VtParser(new ControlFunctions(_state, answers));
    }

    public TerminalSize Size => new(_state.Rows, _state.Columns);

    /// <summary>Where the next character goes, from 0. After the last column was printed it is there until the next character.</summary>
    public (int Row, int Column) Cursor => (_state.Cursor.Row, _state.Cursor.Column);

    /// <summary>What the program calls its window; empty at first.</summary>
    public string Title => _state.Title;

    /// <summary>Whether the alternate screen shows, as it does for most full-screen programs.</summary>
    public bool IsAlternate => _state.IsAlternate;

    /// <summary>Whether cursor keys are to send what they send in their application mode (DECCKM).</summary>
    public bool HasApplicationCursor => _state.Modes.Has(TerminalFlags.ApplicationCursor);

    /// <summary>Takes what the program has printed, cut anywhere.</summary>
    public void Write(ReadOnlySpan<byte> output) => _parser.Write(output);

    /// <summary>Changes the size as xterm does: text stays in its row, what goes beyond the right edge is lost; rows are given up below the cursor first.</summary>
    public void Resize(TerminalSize size)
    {
        size = Fit(size);
        _state.Resize(size.Rows, size.Columns);
    }

    /// <summary>
    /// Writes what makes a terminal of this size show the same and go on the same: a full reset, the rows, the cursor, modes and, at the end,
    /// the beginning of a sequence or character that is not complete yet, so that the output's very next byte may follow.
    /// </summary>
    public void WriteSnapshot(IBufferWriter<byte> output)
    {
        new ScreenSnapshot(_state, output).Write();
        _parser.WriteUnfinished(output);
    }

    /// <summary>The text of a row without the blanks at its end.</summary>
    /// <param name="index">From 0, at the top.</param>
    public string Row(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _state.Rows);
        return _state.Buffer[index].ToString();
    }

    private static TerminalSize Fit(TerminalSize size) => new(Fit(size.Rows, 24), Fit(size.Columns, 80));

    private static int Fit(int side, int missing) => side <= 0 ? missing : Math.Min(side, MaxSide);
}
