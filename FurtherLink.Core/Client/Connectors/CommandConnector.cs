using System.Diagnostics.CodeAnalysis;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.Native;

namespace FurtherLink.Client.Connectors;

/// <summary>
/// The way to a server through a command whose input and output carry messages: "ssh pi furtherlink stdio", or "furtherlink stdio" for one of its own.
/// It keeps this process's terminal, to ask for a password, and its error output; Ctrl-C does not end it. Linux only.
/// </summary>
/// <param name="command">A command of the shell.</param>
/// <param name="time">The clock; null = the system's.</param>
[SuppressMessage("Interoperability", "CA1416:Validate platform compatibility", Justification = "Asked first.")]
public sealed class CommandConnector(string command, TimeProvider? time = null) : ILinkConnector
{
    // What it has to do when its input has ended: say so to the other side, and close the connection.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public string Target => "exec:" + command;

    /// <inheritdoc/>
    public bool CanReconnect => true;

    /// <inheritdoc/>
    public ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            throw new LinkConnectException("exec: works on Linux only") { IsFinal = true };
        Companion companion;
        try
        {
            companion = Companion.Start(command);
        }
        catch (LibcException e)
        {
            throw new LinkConnectException($"{Target} cannot be started: {e.Message}", e);
        }

        return new ValueTask<ClientLink>(SocketLines.Open(
            companion.Socket, maxMessage, Target, () => new ValueTask(companion.EndAsync(Patience, _time)), () => companion.ExplainAsync(Patience, _time)));
    }
}
