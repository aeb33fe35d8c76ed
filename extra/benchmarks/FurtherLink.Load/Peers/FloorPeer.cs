using System.Text;

namespace FurtherLink.Load.Peers;

/// <summary>The raw limit (floor.c): a terminal or pipes and a socket, one connection at a time.</summary>
/// <param name="floor">Its executable.</param>
internal sealed class FloorPeer(string floor) : IPeer
{
    /// <inheritdoc/>
    public string Name => "the C floor";

    /// <inheritdoc/>
    public ServerProcess Server { get; } = ServerProcess.Start(floor, port => ["relay", $"{port}"]);

    /// <inheritdoc/>
    public Link Open(string command, bool terminal)
    {
        var link = new Link(Server.Connect());
        link.Send(Encoding.UTF8.GetBytes($"{(terminal ? "pty" : "pipe")} {command}\n"));
        return link;
    }

    /// <inheritdoc/>
    public void Dispose() => Server.Dispose();
}
