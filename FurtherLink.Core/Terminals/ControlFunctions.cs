using System.Text;

namespace FurtherLink.Terminals;

/// <summary>Which control function each control character and sequence is, as xterm has them.</summary>
/// <param name="screen">What they change.</param>
/// <param name="answers">Answers those that ask; null = nobody does.</param>
internal sealed class ControlFunctions(ScreenState screen, TerminalAnswers? answers = null)
{
    private const int MaxTitle = 256;

    /// <summary>Printable ASCII characters, at least one.</summary>
    public void Print(ReadOnlySpan<byte> text) => screen.Print(text);

    /// <summary>A character beyond ASCII that is no control character.</summary>
    public void Print(int rune) => screen.Print(rune);

    /// <summary>A control character below 0x20.</summary>
    public void Control(byte code)
    {
        screen.LastPrinted = 0;
        switch (code)
        {
            case 0x08:
                screen.MoveToColumn(screen.Cursor.Column - 1);
                break;
            case 0x09:
                screen.Tab(1);
                break;
            case 0x0A or 0x0B or 0x0C:
                screen.Index();
                if (screen.Modes.Has(TerminalFlags.NewLine))
                    screen.CarriageReturn();
                break;
            case 0x0D:
                screen.CarriageReturn();
                break;
            case 0x0E:
                screen.Cursor.Shifted = true;
                break;
            case 0x0F:
                screen.Cursor.Shifted = false;
                break;
        }
    }

    /// <summary>ESC, a byte of 0x20 to 0x2F or 0 for none, and what is asked.</summary>
    public void Escape(byte intermediate, byte final)
    {
        screen.LastPrinted = 0;
        switch (((char)intermediate, (char)final))
        {
            case ('\0', '7'):
                screen.Save();
                break;
            case ('\0', '8'):
                screen.Restore();
                break;
            case ('\0', 'c'):
                screen.Reset();
                break;
            case ('\0', 'D'):
                screen.Index();
                break;
            case ('\0', 'E'):
                screen.NextLine();
                break;
            case ('\0', 'H'):
                screen.Tabs[screen.Cursor.Column] = true;
                break;
            case ('\0', 'M'):
                screen.ReverseIndex();
                break;
            case ('\0', '='):
                screen.Modes.Set(TerminalFlags.ApplicationKeypad, true);
                break;
            case ('\0', '>'):
                screen.Modes.Set(TerminalFlags.ApplicationKeypad, false);
                break;
            case ('(', _):
                screen.Cursor.G0 = Designated(final);
                break;
            case (')', _):
                screen.Cursor.G1 = Designated(final);
                break;
            case ('#', '8'):
                screen.Align();
                break;
        }
    }

    /// <summary>ESC [, a prefix of &lt;, =, &gt; and ? or 0 for none, numbers, a byte of 0x20 to 0x2F or 0, and what is asked.</summary>
    public void Sequence(byte prefix, VtParameters parameters, byte intermediate, byte final)
    {
        if ((char)final == 'b' && prefix == 0 && intermediate == 0)
            screen.Repeat(parameters.Amount());
        screen.LastPrinted = 0;
        answers?.Sequence(prefix, parameters, intermediate, final, screen);
        switch (((char)prefix, (char)intermediate, (char)final))
        {
            case ('\0', '\0', 'm'):
                screen.Cursor.Style = Sgr.Apply(screen.Cursor.Style, parameters);
                break;
            case ('\0', '\0', 'h' or 'l'):
                SetModes(parameters, final == 'h');
                break;
            case ('?', '\0', 'h' or 'l'):
                for (var i = 0; i < parameters.Count; i++)
                    SetPrivateMode(parameters[i], final == 'h');
                break;
            case ('\0', '!', 'p'):
                screen.SoftReset();
                break;
            case ('\0', ' ', 'q'):
                if (parameters[0] <= 6)
                    screen.Modes.CursorStyle = parameters[0];
                break;
            // The selective forms erase everything, since nothing can be protected.
            case ('\0' or '?', '\0', 'J'):
                screen.EraseInDisplay(parameters[0]);
                break;
            case ('\0' or '?', '\0', 'K'):
                screen.EraseInLine(parameters[0]);
                break;
            case ('\0', '\0', 'r'):
                screen.SetScrollRegion(parameters.Amount() - 1, parameters[1] == 0 ? int.MaxValue : parameters[1] - 1);
                break;
            case ('\0', '\0', _):
                if (!Move(parameters, final))
                    Edit(parameters, final);
                break;
        }
    }

    /// <summary>The text of ESC ] without its end.</summary>
    public void Command(ReadOnlySpan<byte> text)
    {
        screen.LastPrinted = 0;
        answers?.Command(text);
        if (!text.StartsWith("0;"u8) && !text.StartsWith("2;"u8))
            return;
        var title = new StringBuilder();
        foreach (var rune in Encoding.UTF8.GetString(text[2..]).EnumerateRunes())
        {
            if (!Rune.IsControl(rune) && title.Length < MaxTitle)
                title.Append(rune.ToString());
        }

        screen.Title = title.ToString();
    }

    private static Charset Designated(byte final) => (char)final switch
    {
        '0' => Charset.LineDrawing,
        'A' => Charset.British,
        _ => Charset.Ascii,
    };

    private bool Move(VtParameters parameters, byte final)
    {
        var count = parameters.Amount();
        switch ((char)final)
        {
            case 'A':
                screen.Up(count);
                return true;
            case 'B':
                screen.Down(count);
                return true;
            case 'C' or 'a':
                screen.MoveToColumn(screen.Cursor.Column + count);
                return true;
            case 'D':
                screen.MoveToColumn(screen.Cursor.Column - count);
                return true;
            case 'E':
                screen.Down(count);
                screen.CarriageReturn();
                return true;
            case 'F':
                screen.Up(count);
                screen.CarriageReturn();
                return true;
            case 'G' or '`':
                screen.MoveToColumn(count - 1);
                return true;
            case 'H' or 'f':
                screen.MoveTo(count - 1, parameters.Amount(1) - 1);
                return true;
            case 'I':
                screen.Tab(count);
                return true;
            case 'Z':
                screen.TabBack(count);
                return true;
            case 'd':
                screen.MoveTo(count - 1);
                return true;
            case 'e':
                screen.MoveTo(screen.Cursor.Row - screen.OriginRow() + count);
                return true;
            case 's':
                screen.Save();
                return true;
            case 'u':
                screen.Restore();
                return true;
            default:
                return false;
        }
    }

    private void Edit(VtParameters parameters, byte final)
    {
        var count = parameters.Amount();
        switch ((char)final)
        {
            case '@':
                screen.InsertCharacters(count);
                break;
            case 'P':
                screen.DeleteCharacters(count);
                break;
            case 'L':
                screen.InsertLines(count);
                break;
            case 'M':
                screen.DeleteLines(count);
                break;
            case 'S':
                screen.ScrollUp(count);
                break;
            // With more numbers it is about the mouse.
            case 'T' when parameters.Count == 1:
                screen.ScrollDown(count);
                break;
            case 'X':
                screen.EraseCharacters(count);
                break;
            case 'g':
                ClearTabs(parameters[0]);
                break;
        }
    }

    private void ClearTabs(int which)
    {
        if (which == 0)
            screen.Tabs[screen.Cursor.Column] = false;
        else if (which == 3)
            screen.Tabs.Clear();
    }

    private void SetModes(VtParameters parameters, bool on)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i] == 4)
                screen.Modes.Set(TerminalFlags.Insert, on);
            else if (parameters[i] == 20)
                screen.Modes.Set(TerminalFlags.NewLine, on);
        }
    }

    private void SetPrivateMode(int number, bool on)
    {
        switch (number)
        {
            case 6:
                screen.SetOrigin(on);
                break;
            case 47 or 1047:
                screen.SwitchTo(on);
                break;
            case 1048:
                SaveOrRestore(on);
                break;
            case 1049:
                // Saved on the main screen before, restored there after.
                if (on)
                    screen.Save();
                screen.SwitchTo(on);
                if (!on)
                    screen.Restore();
                break;
            default:
                screen.Modes.SetPrivate(number, on);
                break;
        }
    }

    private void SaveOrRestore(bool save)
    {
        if (save)
            screen.Save();
        else
            screen.Restore();
    }
}
