using System.Diagnostics;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>Typing while another session prints as fast as its client reads, against typing alone.</summary>
/// <param name="host">The published host.</param>
/// <param name="count">Characters a round.</param>
internal sealed class FloodMeasure(string host, int count) : IMeasure
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Alone = TimeSpan.FromMilliseconds(300);

    private FurtherLinkPeer? _peer;

    /// <inheritdoc/>
    public string Name => "flood";

    /// <inheritdoc/>
    public string Against => "the same alone";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } =
    [
        new("echo beside a session that floods, p50", "us", 1.5, 1.1),
        new("echo beside a session that floods, p99", "us", 4, 2),
        new("output of the session that floods meanwhile", "MB/s", MoreIsBetter: true),
    ];

    /// <inheritdoc/>
    public void Prepare() => _peer = new FurtherLinkPeer(host);

    /// <inheritdoc/>
    public double[] Ours()
    {
        double[] echo = [];
        var printed = Flood(() => echo = Measurements.Echo(_peer!, terminal: true, count));
        return [.. echo, printed];
    }

    /// <inheritdoc/>
    public double[] Other()
    {
        var echo = Measurements.Echo(_peer!, terminal: true, count);
        // Typing counts for a while after the last key.
        Thread.Sleep(Quiet);
        return [.. echo, Flood(static () => Thread.Sleep(Alone))];
    }

    /// <summary>Has a session print all the time that something else takes.</summary>
    /// <returns>How much, in megabytes a second.</returns>
    private double Flood(Action during)
    {
        using var flood = _peer!.Open("exec yes", terminal: true);
        var over = 0;
        var printed = 0L;
        var reader = new Thread(() =>
        {
            for (var output = 1; Volatile.Read(ref over) == 0 && output > 0; printed += output)
                output = flood.Receive();
        });
        var watch = Stopwatch.StartNew();
        reader.Start();
        try
        {
            during();
        }
        finally
        {
            watch.Stop();
            Volatile.Write(ref over, 1);
            reader.Join();
        }
        return printed / watch.Elapsed.TotalMicroseconds;
    }

    /// <inheritdoc/>
    public void Dispose() => _peer?.Dispose();
}
