using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Host.Consoles;

/// <summary>A command cannot be carried out: it ends, with a message that says what to do.</summary>
/// <param name="exitCode">What it ends with.</param>
/// <param name="message">One sentence, or more.</param>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "An end without a code and words helps nobody.")]
internal sealed class ConsoleException(int exitCode, string message) : Exception(message)
{
    /// <summary>What it ends with.</summary>
    public int ExitCode { get; } = exitCode;
}
