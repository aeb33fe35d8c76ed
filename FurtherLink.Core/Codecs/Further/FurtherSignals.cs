using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Knows signals by number and by the names of signal(7), as they are numbered on x86 and ARM.</summary>
internal static class FurtherSignals
{
    // Real-time signals end there; only the ones below have names.
    private const int Last = 64;
    private const string Prefix = "SIG";

    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>signal: "signal", a number or a name, with or without SIG.</summary>
    /// <exception cref="LinkException">It is missing, or there is no such signal; the message says which there are.</exception>
    public static Signal Read(FurtherRequest request)
    {
        var isName = request.Value(FurtherField.Signal).Type == JsonTokenType.String;
        if (isName)
        {
            var name = request.RequiredText(FurtherField.Signal);
            return NumberOf(name) is { } number ? new Signal(number) : throw Unknown(request, $"\"{name[..Math.Min(name.Length, 20)]}\"");
        }

        var asked = request.Count(FurtherField.Signal) ?? throw request.Bad("signal: signal is missing");
        return asked is >= 1 and <= Last ? new Signal((int)asked) : throw Unknown(request, $"{asked}");
    }

    private static int? NumberOf(string name)
    {
        var bare = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        return bare switch
        {
            "IOT" => 6,
            "CLD" => 17,
            "POLL" => 29,
            "UNUSED" => 31,
            _ => Array.IndexOf(Names, bare) is >= 0 and var at ? at + 1 : null,
        };
    }

    private static LinkException Unknown(FurtherRequest request, string asked) =>
        request.BadValue($"signal: there is no signal {asked}; there are 1 to {Last} and, from 1 on, {string.Join(", ", Names)}");
}
