namespace FurtherLink;

/// <summary>Serves connections. There is no listener: a transport is whatever calls this.</summary>
public interface ILinkServer
{
    /// <summary>
    /// Serves one connection until its input ends, it breaks, or it is told to stop. When it returns, all its sessions have been
    /// detached, replies have been flushed on a clean end (at most 1 s), and nothing of it runs any more; the transport then ends
    /// its pipe. It does not throw for what a peer does.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="cancellationToken">Ends it: a close frame with 1001 is sent where there is still time.</param>
    Task ServeAsync(LinkConnection connection, CancellationToken cancellationToken);
}
