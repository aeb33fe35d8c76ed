using System.Buffers;
using System.Globalization;
using System.Text;

namespace FurtherLink.Terminals;

/// <summary>
/// Answers what programs ask a terminal, as xterm does: what it is, where its cursor is, its size, modes and colours. What it does not know it
/// leaves unanswered, as other terminals do. Not thread safe.
/// </summary>
internal sealed class TerminalAnswers
{
    // A program that asks without reading gets no more.
    private const int MaxWaiting = 4096;

    // VT220 with colours, and no more: programs do not ask such a terminal for what only xterm itself knows.
    private const string PrimaryAttributes = "\e[?62;22c";
    private const string SecondaryAttributes = "\e[>1;10;0c";

    private readonly ArrayBufferWriter<byte> _waiting = new();

    /// <summary>Whether there are answers to be sent.</summary>
    public bool IsEmpty => _waiting.WrittenCount == 0;

    /// <summary>The answers to be sent, which then are not here any more.</summary>
    public byte[] Take()
    {
        var taken = _waiting.WrittenSpan.ToArray();
        _waiting.ResetWrittenCount();
        return taken;
    }

    /// <summary>Answers a control sequence, where it asks.</summary>
    public void Sequence(byte prefix, VtParameters parameters, byte intermediate, byte final, ScreenState screen)
    {
        switch (((char)prefix, (char)intermediate, (char)final))
        {
            case ('\0', '\0', 'c') when parameters[0] == 0:
                Answer(PrimaryAttributes);
                break;
            case ('>', '\0', 'c') when parameters[0] == 0:
                Answer(SecondaryAttributes);
                break;
            case ('\0', '\0', 'n') when parameters[0] == 5:
                Answer("\e[0n");
                break;
            case ('\0' or '?', '\0', 'n') when parameters[0] == 6:
                ReportCursor(prefix == '?' ? "?" : "", screen);
                break;
            case ('\0', '\0', 't') when parameters[0] == 18:
                Answer(string.Create(CultureInfo.InvariantCulture, $"\e[8;{screen.Rows};{screen.Columns}t"));
                break;
            case ('?', '$', 'p'):
                ReportMode(parameters[0], screen.Modes);
                break;
        }
    }

    /// <summary>Answers a command (OSC), where it asks.</summary>
    /// <param name="text">Without its beginning and end.</param>
    public void Command(ReadOnlySpan<byte> text)
    {
        if (text.SequenceEqual("10;?"u8))
            Answer("\e]10;rgb:ffff/ffff/ffff\e\\");
        else if (text.SequenceEqual("11;?"u8))
            Answer("\e]11;rgb:0000/0000/0000\e\\");
    }

    private void ReportCursor(string prefix, ScreenState screen)
    {
        var row = screen.Cursor.Row - screen.OriginRow() + 1;
        Answer(string.Create(CultureInfo.InvariantCulture, $"\e[{prefix}{row};{screen.Cursor.Column + 1}R"));
    }

    // DECRPM: 0 = unknown, 1 = set, 2 = reset.
    private void ReportMode(int number, TerminalModes modes)
    {
        var state = modes.IsSet(number) switch { true => 1, false => 2, null => 0 };
        Answer(string.Create(CultureInfo.InvariantCulture, $"\e[?{number};{state}$y"));
    }

    private void Answer(string answer)
    {
        if (_waiting.WrittenCount + answer.Length <= MaxWaiting)
            Encoding.ASCII.GetBytes(answer, _waiting);
    }
}
