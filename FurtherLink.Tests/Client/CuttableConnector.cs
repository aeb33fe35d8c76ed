using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Client;

namespace FurtherLink.Tests.Client;

/// <summary>A way to a server in this process that a test can cut, in the middle of a message too, and keep closed.</summary>
internal sealed class CuttableConnector(ILinkConnector inner, int seed = 0) : ILinkConnector
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Target => inner.Target;

    public bool CanReconnect => true;

    /// <summary>Why the next attempts fail; null = they do not.</summary>
    public string? Closed { get; set; }

    public int Connections { get; private set; }

    /// <summary>Cuts the connection that there is.</summary>
    public void Cut() => Interlocked.Exchange(ref _cut, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    public async ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken)
    {
        if (Closed is { } why)
            throw new LinkConnectException(why);
        var link = await inner.ConnectAsync(maxMessage, cancellationToken);
        var (transport, frames) = LinkPipe.CreatePair(maxMessage);
        var cut = Volatile.Read(ref _cut).Task;
        Connections++;
        var both = Task.WhenAll(CopyAsync(transport.Input, link.Frames.Output, cut), CopyAsync(link.Frames.Input, transport.Output, cut));
        return new ClientLink(frames, async () =>
        {
            await both;
            await link.DisposeAsync();
        });
    }

    // In pieces of any size, so that a cut falls anywhere.
    private async Task CopyAsync(PipeReader from, PipeWriter to, Task cut)
    {
        var isCut = cut.ContinueWith(static (_, reader) => ((PipeReader)reader!).CancelPendingRead(), from, TaskScheduler.Default);
        try
        {
            while (true)
            {
                var result = await from.ReadAsync();
                if (cut.IsCompleted || result.IsCompleted && result.Buffer.IsEmpty)
                    break;
                var part = result.Buffer.Slice(0, Size(result.Buffer.Length));
                foreach (var memory in part)
                    to.Write(memory.Span);
                from.AdvanceTo(part.End);
                if ((await to.FlushAsync()).IsCompleted)
                    break;
            }
        }
        catch (InvalidOperationException)
        {
            // The other way has been completed.
        }
        finally
        {
            await to.CompleteAsync();
            await from.CompleteAsync();
        }

        _ = isCut;
    }

    private long Size(long there)
    {
        lock (_lock)
            return _random.Next(3) == 0 ? _random.NextInt64(there) + 1 : there;
    }
}
