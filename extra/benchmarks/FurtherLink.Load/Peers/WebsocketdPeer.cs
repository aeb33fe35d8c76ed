using System.Text;

namespace FurtherLink.Load.Peers;

/// <summary>websocketd, which runs a program per connection on pipes; in its binary mode, which passes bytes on as they come.</summary>
internal sealed class WebsocketdPeer : IPeer
{
    /// <inheritdoc/>
    public string Name => "websocketd";

    /// <inheritdoc/>
    public ServerProcess Server { get; } = ServerProcess.Start("websocketd", port =>
        ["--address=127.0.0.1", $"--port={port}", "--binary=true", "--loglevel=fatal", "sh", "-c", "read -r line; eval \"exec $line\""]);

    /// <inheritdoc/>
    public Link Open(string command, bool terminal)
    {
        if (terminal)
            throw new NotSupportedException("websocketd has pipes only");
        var link = new WebSocketLink(Server.Connect(), "/", binary: true);
        link.Send(Encoding.UTF8.GetBytes($"sh -c '{command}'\n"));
        return link;
    }

    /// <inheritdoc/>
    public void Dispose() => Server.Dispose();
}
