using System.Text;

namespace FurtherLink.Tests.Terminals;

/// <summary>Terminal output out of a seed: text of all widths, and every sequence with likely and unlikely numbers.</summary>
internal sealed class RandomOutput(int seed)
{
    private static readonly string[] Texts =
    [
        "a", "b", "Hello, world", "0123456789", "    ", "日本語", "wide 界 wide", "é", "e\u0301", "\u0302", "👍", "👍\u200d", "\u00ad", "q",
        "─│┌", "long text that goes over the end of a row, and more of it to be sure of that",
    ];

    private static readonly string[] Controls =
    [
        "\r", "\n", "\r\n", "\r\n", "\b", "\t", "\v", "\f", "\a", "\u000e", "\u000f", "\u0018", "\u001a", "\u007f", "\eD", "\eE", "\eM", "\e7", "\e8", "\eH",
        "\e=", "\e>", "\e(0", "\e(B", "\e)0", "\e)B", "\e(A", "\e#8", "\e%G", "\e]0;title\a", "\e]2;näme\e\\", "\e]8;;http://a\e\\", "\eP1$q\e\\",
        "\e_apc\e\\", "\e[!p", "\ec", "\e[?1049h", "\e[?1049l", "\e[?47h", "\e[?47l",
    ];

    private static readonly int[] Modes = [1, 5, 6, 7, 12, 25, 47, 66, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1047, 1048, 1049, 2004, 2026];

    private readonly Random _random = new(seed);

    public byte[] Next(int pieces)
    {
        var output = new StringBuilder();
        for (var i = 0; i < pieces; i++)
            output.Append(Piece());
        return Encoding.UTF8.GetBytes(output.ToString());
    }

    /// <summary>Bytes of no sense, most of them ones that matter to a terminal.</summary>
    public byte[] NextNoise(int length)
    {
        var likely = "\e\e\e[[[]];:?0123456789hlmHJKLMPr@ \a\r\n\t!()a"u8;
        var output = new byte[length];
        for (var i = 0; i < length; i++)
            output[i] = _random.Next(4) == 0 ? (byte)_random.Next(256) : likely[_random.Next(likely.Length)];
        return output;
    }

    public int Below(int end) => _random.Next(end);

    private string Piece() => _random.Next(10) switch
    {
        < 4 => Texts[_random.Next(Texts.Length)],
        4 => Controls[_random.Next(Controls.Length)],
        5 => $"\e[{Numbers(1)}{Pick("ABCDEFGHIZ`adefG")}",
        6 => $"\e[{Numbers(2)}{Pick("HfHr")}",
        7 => $"\e[{Numbers(1)}{Pick("JKXP@LMSTbg")}",
        8 => Style(),
        _ => Mode(),
    };

    private char Pick(string from) => from[_random.Next(from.Length)];

    private string Numbers(int count) => string.Join(';', Enumerable.Range(0, _random.Next(count + 1)).Select(_ => _random.Next(8) switch
    {
        0 => _random.Next(100000),
        1 => 0,
        _ => _random.Next(12),
    }));

    private string Style() => _random.Next(8) switch
    {
        0 => "\e[m",
        1 => $"\e[38;5;{_random.Next(256)}m",
        2 => $"\e[48;2;{_random.Next(256)};{_random.Next(256)};{_random.Next(256)}m",
        3 => $"\e[38:2::{_random.Next(256)}:2:3;4:{_random.Next(7)}m",
        4 => $"\e[58:5:{_random.Next(256)};4m",
        _ => $"\e[{_random.Next(60)};{_random.Next(30, 50)};{_random.Next(90, 108)}m",
    };

    private string Mode() => _random.Next(5) switch
    {
        0 => $"\e[{(_random.Next(2) == 0 ? 4 : 20)}{Pick("hl")}",
        1 => $"\e[{_random.Next(8)} q",
        _ => $"\e[?{Modes[_random.Next(Modes.Length)]}{Pick("hl")}",
    };
}
