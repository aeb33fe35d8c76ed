using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>Typing while another session prints as fast as its client reads, against typing alone.</summary>
/// <param name="host">The published host.</param>
/// <param name="count">Characters a round.</param>
internal sealed class FloodMeasure(string host, int count) : IMeasure
{
    private FurtherLinkPeer? _peer;

    /// <inheritdoc/>
    public string Name => "flood";

    /// <inheritdoc/>
    public string Against => "own idle echo";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } =
    [
        new("echo beside a session that floods, p50", "us", 1.5, 1.1),
        new("echo beside a session that floods, p99", "us", 4, 2),
    ];

    /// <inheritdoc/>
    public void Prepare() => _peer = new FurtherLinkPeer(host);

    /// <inheritdoc/>
    public double[] Ours()
    {
        using var flood = _peer!.Open("exec yes", terminal: true);
        var over = 0;
        var reader = new Thread(() =>
        {
            while (Volatile.Read(ref over) == 0 && flood.Receive() > 0)
            {
            }
        });
        reader.Start();
        try
        {
            return Measurements.Echo(_peer, terminal: true, count);
        }
        finally
        {
            Volatile.Write(ref over, 1);
            reader.Join();
        }
    }

    /// <inheritdoc/>
    public double[] Other() => Measurements.Echo(_peer!, terminal: true, count);

    /// <inheritdoc/>
    public void Dispose() => _peer?.Dispose();
}
