using System.Text;

namespace FurtherLink.Tests.Terminals;

/// <summary>
/// Output out of a seed of which tmux and xterm think the same. They differ about what is done where the next character would wrap, so functions
/// come after a move, about lines outside of the
/// scroll region, insertions up to the edge and where a new region leaves the cursor; tmux lacks some functions, and saves one cursor for both screens.
/// </summary>
internal sealed class TmuxOutput(int seed, int rows, int columns)
{
    private static readonly string[] Texts = ["a", "Hello, world", "0123456789", "é", "ae\u0301b", "─│┌", "long text that goes over the end of a row, and more of it to be sure of that"];

    private static readonly string[] WideTexts = ["日本語", "wide 界 wide", "👍"];

    private static readonly string[] Modes = ["?1", "?25", "?1000", "?1002", "?1003", "?1006", "?2004"];

    private readonly Random _random = new(seed);
    // tmux leaves halves of wide characters, where others leave blanks; so there are either wide ones or functions that cut them.
    private readonly bool _wide = seed % 2 == 0;
    private bool _alternate;
    private bool _saved;

    public byte[] Next(int pieces)
    {
        var output = new StringBuilder();
        for (var i = 0; i < pieces; i++)
            output.Append(Piece());
        return Encoding.UTF8.GetBytes(output.ToString());
    }

    private string Piece() => _random.Next(16) switch
    {
        < 4 => Pick(Texts),
        4 => Pick(_wide ? WideTexts : Texts),
        5 => "\r\n",
        6 => Move(1) + Pick(["\eD", "\eE", "\eM", "\n", "x\b", "\t", "\t\t", "\eH", "\e[g", "\e[Z", "\e[2Z"]),
        7 => Move() + $"\e[{_random.Next(7)}{Pick(["A", "B", "C", "D", "E", "F", "G", "d"])}",
        8 => Move() + (_wide ? Pick(["\e[2J", "\e[2K"]) : $"\e[{_random.Next(3)}{Pick(["J", "K"])}"),
        9 => Move(10) + $"\e[{_random.Next(6)}{Pick(_wide ? ["S", "T"] : ["@", "P", "X", "S", "T"])}",
        10 => "\e[?6l\e[r" + Move() + $"\r\e[{_random.Next(6)}{Pick(["L", "M"])}",
        11 => Region(),
        12 => Style(),
        13 => $"\e[{Pick(Modes)}{Pick(["h", "l"])}",
        14 => Pick(["\e=", "\e>", "\e(0", "\e(B", "\e)0\u000e", "\u000f", "\e(0qx\e(B", "\e[?6h", "\e[?6l"]),
        _ => Rare(),
    };

    private string Rare()
    {
        switch (_random.Next(6))
        {
            case 0 when !_alternate:
                _alternate = true;
                _saved = false;
                return "\e[?6l\e(B\u000f\e[?1049h";
            case 1 when _alternate:
                _alternate = false;
                _saved = false;
                return "\e[?6l\e(B\u000f\e[?1049l";
            case 2:
                _saved = true;
                return "\e[?6l" + Move() + "\e7";
            case 3 when _saved:
                return "\e8";
            case 4:
                var row = _random.Next(1, rows + 1);
                return $"\e[{row}H\e[2Kabcdefgh\e[{row};3H\e[4hx{(_wide ? "日" : "z")}yé\e[4l";
            default:
                return Pick(["\e#8", $"\e[{_random.Next(1, rows + 1)};1Hx\e[3b"]);
        }
    }

    private string Move(int right = 0) => $"\e[{_random.Next(1, rows + 1)};{_random.Next(1, columns + 1 - right)}H";

    private string Region()
    {
        var top = _random.Next(1, rows);
        return _random.Next(3) == 0 ? "\e[?6l\e[r" : $"\e[?6l\e[{top};{_random.Next(top + 1, rows + 1)}r";
    }

    private string Style() => _random.Next(6) switch
    {
        0 => "\e[m",
        1 => $"\e[38;5;{_random.Next(256)}m",
        2 => $"\e[48;2;{_random.Next(256)};{_random.Next(256)};{_random.Next(256)}m",
        3 => $"\e[38:2::{_random.Next(256)}:2:3;4:{_random.Next(6)}m",
        _ => $"\e[{Pick(["1", "2", "3", "4", "5", "7", "8", "9", "22", "23", "24", "25", "27", "28", "29"])};{_random.Next(30, 38)};{_random.Next(100, 108)}m",
    };

    private string Pick(string[] from) => from[_random.Next(from.Length)];
}
