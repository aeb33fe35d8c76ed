using System.Text;

namespace FurtherLink.Host.Consoles;

/// <summary>Stands for a standard output that was closed when the command was started: each write fails.</summary>
internal sealed class ClosedWriter : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <inheritdoc/>
    public override void Write(char value) => throw new IOException("standard output was closed when this command was started");
}
