using System.IO.Pipelines;

namespace FurtherLink.Framing;

/// <summary>Moves messages between a transport and a pipe of frames, both ways at once.</summary>
internal interface IFramePump
{
    /// <summary>Begins moving.</summary>
    void Start();

    /// <summary>Ends it after the owner has completed its end of the pipe.</summary>
    /// <param name="patience">How long that may take before the connection is cut.</param>
    Task StopAsync(TimeSpan patience);
}

/// <summary>What all pumps do alike, at a server's end and a client's.</summary>
internal static class FramePump
{
    /// <summary>How long a goodbye may take: as long as the server gives its last messages.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Serves a connection to its end. It does not throw for what the other side does.</summary>
    public static async Task ServeAsync(ILinkServer server, LinkConnection connection, IFramePump pump, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(server);
        pump.Start();
        try
        {
            await server.ServeAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            connection.End();
            await connection.Frames.Output.CompleteAsync().ConfigureAwait(false);
            await connection.Frames.Input.CompleteAsync().ConfigureAwait(false);
            await pump.StopAsync(Patience).ConfigureAwait(false);
        }
    }

    /// <summary>Takes what the owner still says while it ends: it goes nowhere, but nobody must wait for it.</summary>
    public static async Task DropAsync(PipeReader frames)
    {
        while (true)
        {
            var rest = await frames.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            frames.AdvanceTo(rest.Buffer.End);
            if (rest.IsCompleted)
                break;
        }

        await frames.CompleteAsync().ConfigureAwait(false);
    }
}
