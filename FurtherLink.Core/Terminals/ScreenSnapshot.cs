using System.Buffers;
using System.Text;

namespace FurtherLink.Terminals;

/// <summary>Writes a screen as the text and control sequences that make a terminal show it.</summary>
internal sealed class ScreenSnapshot(ScreenState screen, IBufferWriter<byte> output)
{
    // What the terminal has now, while it is written.
    private Style _style;

    public void Write()
    {
        output.Write("\ec"u8);
        if (screen.Title.Length > 0)
        {
            Text("\e]2;");
            Text(screen.Title);
            Text("\e\\");
        }

        WriteRows(screen.Main);
        if (screen.IsAlternate)
        {
            // This saves the cursor on the main screen, as it will be restored.
            WriteSaved(screen.SavedInMain, screen.Main, "\e[?1049h"u8);
            Text("\e[2J");
            WriteRows(screen.Buffer);
        }

        if (screen.Saved != default)
            WriteSaved(screen.Saved, screen.Buffer, "\e7"u8);
        WriteTabs();
        // Known to more terminals than the mode's number.
        if (screen.Modes.Has(TerminalFlags.ApplicationKeypad))
            Text("\e=");
        foreach (var (number, on) in screen.Modes.Changed())
            Text($"\e[?{number}{(on ? 'h' : 'l')}");
        if (screen.Modes.Has(TerminalFlags.NewLine))
            Text("\e[20h");
        if (screen.Modes.CursorStyle != 0)
            Text($"\e[{screen.Modes.CursorStyle} q");
        WriteCursor();
    }

    private void WriteRows(TerminalBuffer buffer)
    {
        for (var i = 0; i < buffer.Count; i++)
            WriteRow(buffer[i], i);
    }

    private void WriteRow(TerminalRow row, int index)
    {
        // The cells at the end that show a background alone are one erasure, and none where it is the terminal's own.
        var end = row.Columns;
        var last = row[end - 1];
        if (last.IsErased)
        {
            while (end > 0 && row[end - 1].IsErased && row[end - 1].Style == last.Style)
                end--;
        }

        // Where the terminal's cursor is; nowhere near at first.
        var at = -1;
        for (var column = 0; column < end; column++)
        {
            var cell = row[column];
            if (cell.IsSecondHalf || (cell.IsErased && cell.Style == default))
                continue;
            Place(index, column, ref at);
            at = column + WriteCell(row, column);
        }

        if (end == row.Columns || last.Style == default)
            return;
        Place(index, end, ref at);
        WriteStyle(last.Style);
        Text("\e[K");
    }

    // Also after characters that are wider in some terminals than in others, so that what follows them is in its place.
    private void Place(int row, int column, ref int at)
    {
        if (at < 0)
            Text($"\e[{row + 1};{column + 1}H");
        else if (at != column)
            Text($"\e[{column + 1}G");
    }

    // Returns the cells it takes in every terminal; a number that leads nowhere where terminals differ.
    private int WriteCell(TerminalRow row, int column)
    {
        var cell = row[column];
        WriteStyle(cell.Style);
        Character(cell.Rune);
        var marks = row.Marks(column);
        foreach (var mark in marks)
            Character(mark);
        if (!marks.IsEmpty || IsEmoji(cell.Rune))
            return row.Columns;
        return column + 1 < row.Columns && row[column + 1].IsSecondHalf ? 2 : 1;
    }

    private static bool IsEmoji(int rune) => rune is >= 0x1F000 and < 0x20000 or (>= 0x2600 and < 0x2800);

    private void WriteSaved(CursorState saved, TerminalBuffer buffer, ReadOnlySpan<byte> save)
    {
        if (saved.Origin)
            Text("\e[?6h");
        WritePosition(saved, buffer, 0);
        WriteStyle(saved.Style);
        WriteCharsets(saved);
        output.Write(save);
        if (!saved.HasInitialCharsets)
            Text("\e(B\e)B\u000f");
        if (saved.Origin)
            Text("\e[?6l");
        WriteStyle(default);
    }

    private void WriteTabs()
    {
        var changed = false;
        for (var i = 0; i < screen.Columns; i++)
            changed |= screen.Tabs[i] != TabStops.IsInitial(i);
        if (!changed)
            return;
        Text("\e[3g");
        for (var i = 0; i < screen.Columns; i++)
        {
            if (screen.Tabs[i])
                Text($"\e[{i + 1}G\eH");
        }
    }

    private void WriteCursor()
    {
        if (screen.Top != 0 || screen.Bottom != screen.Rows - 1)
            Text($"\e[{screen.Top + 1};{screen.Bottom + 1}r");
        ref var cursor = ref screen.Cursor;
        if (cursor.Origin)
            Text("\e[?6h");
        var first = screen.OriginRow();
        if (LastPrintedAt() is var column && column >= 0)
        {
            // Printed again, it is what a repetition repeats.
            WriteCharsets(cursor);
            Text($"\e[{cursor.Row - first + 1};{column + 1}H");
            WriteStyle(cursor.Style);
            if (screen.Modes.Has(TerminalFlags.Insert))
                Text($"\e[4h\e[{CharacterWidth.Of(screen.LastPrinted)}P");
            Character(screen.LastPrinted);
            return;
        }

        WritePosition(cursor, screen.Buffer, first);
        WriteStyle(cursor.Style);
        WriteCharsets(cursor);
        if (screen.Modes.Has(TerminalFlags.Insert))
            Text("\e[4h");
    }

    // Where the character stands that was printed last; -1 where none was, or where it was lost.
    private int LastPrintedAt()
    {
        if (screen.LastPrinted == 0)
            return -1;
        ref var cursor = ref screen.Cursor;
        var row = screen.Buffer[cursor.Row];
        var column = cursor.PendingWrap ? cursor.Column : cursor.Column - 1;
        if (column > 0 && row[column].IsSecondHalf)
            column--;
        return column >= 0 && row[column] is { HasMarks: false } cell && cell.Rune == screen.LastPrinted && cell.Style == cursor.Style ? column : -1;
    }

    private void WritePosition(CursorState cursor, TerminalBuffer buffer, int firstRow)
    {
        var column = cursor.Column;
        var row = buffer[cursor.Row];
        if (cursor.PendingWrap && row[column].IsSecondHalf)
            column--;
        Text($"\e[{cursor.Row - firstRow + 1};{column + 1}H");
        // Only printing in the last column makes the next character wrap: what is there is printed again.
        if (cursor.PendingWrap)
            WriteCell(row, column);
    }

    private void WriteCharsets(CursorState cursor)
    {
        if (cursor.G0 != Charset.Ascii)
            Text(cursor.G0 == Charset.British ? "\e(A" : "\e(0");
        if (cursor.G1 != Charset.Ascii)
            Text(cursor.G1 == Charset.British ? "\e)A" : "\e)0");
        if (cursor.Shifted)
            Text("\u000e");
    }

    private void WriteStyle(in Style style)
    {
        if (style == _style)
            return;
        _style = style;
        Text("\e[0");
        for (var bit = 0; bit < 8; bit++)
        {
            if (((int)style.Attributes & (1 << bit)) != 0)
                Text(AttributeCode(bit));
        }

        var underline = (int)(style.Attributes & StyleAttributes.AnyUnderline) >> 8;
        if (underline != 0)
            Text(underline == 1 ? ";4" : $";4:{underline}");
        WriteColor(style.Foreground, 30);
        WriteColor(style.Background, 40);
        // The form that a terminal without such colours does not take for other attributes.
        if (Style.IsOfPalette(style.UnderlineColor))
            Text($";58:5:{(byte)style.UnderlineColor}");
        else if (style.UnderlineColor != 0)
            Text($";58:2::{(byte)(style.UnderlineColor >> 16)}:{(byte)(style.UnderlineColor >> 8)}:{(byte)style.UnderlineColor}");
        Text("m");
    }

    // In the order of StyleAttributes.
    private static string AttributeCode(int bit) => bit switch
    {
        0 => ";1",
        1 => ";2",
        2 => ";3",
        3 => ";5",
        4 => ";7",
        5 => ";8",
        6 => ";9",
        _ => ";53",
    };

    private void WriteColor(uint color, int first)
    {
        if (Style.IsOfPalette(color))
        {
            var index = (byte)color;
            Text(index switch
            {
                < 8 => $";{first + index}",
                < 16 => $";{first + 60 + index - 8}",
                _ => $";{first + 8};5;{index}",
            });
        }
        else if (color != 0)
        {
            Text($";{first + 8};2;{(byte)(color >> 16)};{(byte)(color >> 8)};{(byte)color}");
        }
    }

    private void Character(int rune)
    {
        var span = output.GetSpan(4);
        output.Advance(new Rune(rune).EncodeToUtf8(span));
    }

    private void Text(string text) => Encoding.UTF8.GetBytes(text, output);
}
