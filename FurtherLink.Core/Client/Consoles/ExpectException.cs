using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Client.Consoles;

/// <summary>
/// What was waited for did not come. The message is a report for people: what was waited for, what the screen shows, the text that nothing
/// has matched, what was sent and received last.
/// </summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Only a console makes one, with all that it knows.")]
[SuppressMessage("Roslynator", "RCS1194:Implement exception constructors", Justification = "Only a console makes one, with all that it knows.")]
public sealed class ExpectException : Exception
{
    internal ExpectException(string message, ExpectFailure failure, ConsoleScreen screen, ExitStatus? exit, Exception? inner)
        : base(message, inner)
    {
        (Failure, Screen, Exit) = (failure, screen, exit);
    }

    /// <summary>Why it did not come.</summary>
    public ExpectFailure Failure { get; }

    /// <summary>What the screen showed then.</summary>
    public ConsoleScreen Screen { get; }

    /// <summary>How the program ended; null where it had not, or nobody knows.</summary>
    public ExitStatus? Exit { get; }
}

/// <summary>Why something did not come.</summary>
public enum ExpectFailure
{
    /// <summary>The time was over.</summary>
    TimedOut,

    /// <summary>The program ended first.</summary>
    Ended,

    /// <summary>The session was lost first: the connection for good, detached by somebody.</summary>
    Lost,

    /// <summary>The program takes no input, or another drives.</summary>
    NotSent,
}
