using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>What terminals that do nothing cost, each with a connection of its own; it stands alone.</summary>
/// <param name="host">The published host.</param>
/// <param name="terminals">How many there are in the end.</param>
/// <param name="seconds">How long the processor is watched.</param>
internal sealed class IdleMeasure(string host, int terminals, int seconds) : IMeasure
{
    private const int First = 50;
    private FurtherLinkPeer? _peer;

    /// <inheritdoc/>
    public string Name => "idle";

    /// <inheritdoc/>
    public string? Against => null;

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } =
    [
        new("memory of its own (RssAnon) when idle", "MiB", 14, 8),
        new("threads when idle", ""),
        new("processor time when idle", "ms/s", 1, 0),
        new($"memory per idle terminal and connection ({First} to {terminals})", "KiB", 64, 30),
        new($"threads with {terminals} idle terminals", "", 32, 16),
        new($"processor time with {terminals} idle terminals, which are pinged", "ms/s"),
    ];

    /// <inheritdoc/>
    public void Prepare() => _peer = new FurtherLinkPeer(host);

    /// <inheritdoc/>
    public double[] Ours()
    {
        var server = _peer!.Server;
        var alone = (Memory: server.Status("RssAnon") / 1024.0, Threads: server.Status("Threads"), Cpu: CpuWhenIdle(server));
        using var opened = new IdleTerminals(_peer);
        opened.Open(First);
        var memory = server.Status("RssAnon");
        opened.Open(terminals);
        var slope = (server.Status("RssAnon") - memory) / (double)(terminals - First);
        return [alone.Memory, alone.Threads, alone.Cpu, slope, server.Status("Threads"), CpuWhenIdle(server)];
    }

    /// <inheritdoc/>
    public double[] Other() => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => _peer?.Dispose();

    private double CpuWhenIdle(ServerProcess server)
    {
        Thread.Sleep(TimeSpan.FromSeconds(2));
        var before = server.Cpu;
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        // The system counts in steps of 10 ms.
        return Math.Round((server.Cpu - before) * 1000 / seconds, 1);
    }
}
