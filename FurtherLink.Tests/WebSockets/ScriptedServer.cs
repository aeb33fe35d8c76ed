using System.Buffers;
using FurtherLink.Codecs;

namespace FurtherLink.Tests.WebSockets;

/// <summary>A server that does with a connection what a test says, and tells when it is done.</summary>
internal sealed class ScriptedServer(Func<LinkConnection, CancellationToken, Task> script) : ILinkServer
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first connection's script has ended.</summary>
    public Task Ended => _ended.Task.WaitAsync(LinkApp.Patience);

    /// <summary>The connection served last.</summary>
    public LinkConnection? Connection { get; private set; }

    /// <summary>A server that gives each message back, and ends with its client.</summary>
    public static ScriptedServer Echo() => new(async (connection, ct) =>
    {
        var writer = new FrameWriter(connection.Frames.Output);
        await foreach (var (kind, body) in ReadAllAsync(connection))
        {
            writer.Write(kind, body);
            await connection.Frames.Output.FlushAsync(ct);
        }
    });

    /// <summary>The messages of a connection until its end; a cut-off one is none.</summary>
    public static async IAsyncEnumerable<(FrameKind Kind, byte[] Body)> ReadAllAsync(LinkConnection connection)
    {
        var input = connection.Frames.Input;
        while (true)
        {
            var result = await input.ReadAsync();
            var buffer = result.Buffer;
            while (Frames.TryRead(ref buffer, int.MaxValue, out var frame))
                yield return (frame.Kind, frame.Body.ToArray());
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
                yield break;
        }
    }

    public async Task ServeAsync(LinkConnection connection, CancellationToken cancellationToken)
    {
        Connection = connection;
        try
        {
            await script(connection, cancellationToken);
            _ended.TrySetResult();
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
    }
}
