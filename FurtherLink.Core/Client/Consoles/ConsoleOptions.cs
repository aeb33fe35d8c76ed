using FurtherLink.Messages;

namespace FurtherLink.Client.Consoles;

/// <summary>How a <see cref="ConsoleSession"/> behaves.</summary>
public sealed record ConsoleOptions
{
    /// <summary>The smallest <see cref="TextLimit"/> and <see cref="TranscriptLimit"/>.</summary>
    internal const int MinLimit = 4096;

    private readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);
    private readonly int _textLimit = 1024 * 1024;
    private readonly int _transcriptLimit = 64 * 1024;

    /// <summary>How long is waited where the call does not say. Default 10 s; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> = for ever.</summary>
    public TimeSpan Timeout
    {
        get => _timeout;
        init => _timeout = value >= TimeSpan.Zero || value == System.Threading.Timeout.InfiniteTimeSpan
            ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Not negative.");
    }

    /// <summary>The terminal of a program whose request has none. Default 24 rows of 80 columns.</summary>
    public TerminalSize Size { get; init; } = new(24, 80);

    /// <summary>
    /// False: what patterns are matched with is what is printed: escape sequences and control characters are taken out, the end of a line is
    /// "\n" (of a terminal's "\r\n"), and "\r" stands only where something on its line was before it. True: everything, as it comes. Default false.
    /// </summary>
    public bool Raw { get; init; }

    /// <summary>Characters that are kept for patterns to come; of more the oldest go. Default 1 Mi, at least 4096.</summary>
    public int TextLimit
    {
        get => _textLimit;
        init => _textLimit = Checked(value);
    }

    /// <summary>Characters of what was received and sent that are kept for reports; of more the oldest go. Default 64 Ki, at least 4096.</summary>
    public int TranscriptLimit
    {
        get => _transcriptLimit;
        init => _transcriptLimit = Checked(value);
    }

    /// <summary>
    /// Whether programs that ask the terminal what it is, or where its cursor is, get an answer, as from xterm. One of those who are attached
    /// should answer. Never where old output is read again. Default true.
    /// </summary>
    public bool AnswersQueries { get; init; } = true;

    private static int Checked(int limit) =>
        limit >= MinLimit ? limit : throw new ArgumentOutOfRangeException(nameof(limit), limit, "At least 4096.");
}
