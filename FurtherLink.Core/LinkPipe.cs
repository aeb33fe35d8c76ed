using System.IO.Pipelines;

namespace FurtherLink;

/// <summary>The pipes between a transport and the server. A pair in memory is a complete transport.</summary>
public static class LinkPipe
{
    /// <summary>Makes two ends: what one writes the other reads.</summary>
    /// <param name="maxMessage">The longest message a client may send, in bytes; inbound waits at 64 KiB beyond it. Default 4 MiB.</param>
    /// <returns>The transport's end and the server's end.</returns>
    public static (IDuplexPipe Transport, IDuplexPipe Server) CreatePair(int maxMessage = 4 * 1024 * 1024)
    {
        var inbound = new Pipe(new PipeOptions(
            pauseWriterThreshold: maxMessage + (64 * 1024), resumeWriterThreshold: maxMessage,
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false));
        // 1: a flush waits until the transport has taken all of it, so that a reply waits for one chunk of output, not for a queue.
        var outbound = new Pipe(new PipeOptions(
            pauseWriterThreshold: 1, resumeWriterThreshold: 1,
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        return (new Duplex(outbound.Reader, inbound.Writer), new Duplex(inbound.Reader, outbound.Writer));
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
