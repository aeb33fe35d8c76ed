using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>How one session, and the start of one, fares beside more and more idle terminals, against a server that has no others.</summary>
/// <param name="host">The published host.</param>
/// <param name="crowds">How many idle terminals there are, smallest first.</param>
/// <param name="file">What is printed.</param>
/// <param name="characters">How many are typed.</param>
/// <param name="starts">How many programs are started.</param>
internal sealed class GrowthMeasure(string host, int[] crowds, PrintedFile file, int characters, int starts) : IMeasure
{
    private readonly List<IdleTerminals> _idle = [];
    private readonly List<FurtherLinkPeer> _crowded = [];
    private FurtherLinkPeer? _quiet;

    /// <inheritdoc/>
    public string Name => "growth";

    /// <inheritdoc/>
    public string Against => "no others";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } =
    [
        .. crowds.SelectMany(static idle => new Row[]
        {
            new($"output of one session beside {idle} idle ones", "MB/s", 0.9, 1, MoreIsBetter: true),
            new($"echo beside {idle} idle sessions, p50", "us"),
            new($"start to stopped beside {idle} idle sessions", "us"),
        }),
    ];

    /// <inheritdoc/>
    public void Prepare()
    {
        _quiet = new FurtherLinkPeer(host);
        foreach (var count in crowds)
        {
            var peer = new FurtherLinkPeer(host);
            _crowded.Add(peer);
            var idle = new IdleTerminals(peer);
            _idle.Add(idle);
            idle.Open(count);
        }
    }

    /// <inheritdoc/>
    public double[] Ours() => [.. _crowded.SelectMany(Measure)];

    /// <inheritdoc/>
    public double[] Other()
    {
        var alone = Measure(_quiet!);
        return [.. crowds.SelectMany(_ => alone)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _idle.ForEach(static idle => idle.Dispose());
        _crowded.ForEach(static peer => peer.Dispose());
        _quiet?.Dispose();
    }

    private double[] Measure(FurtherLinkPeer peer) =>
    [
        Measurements.Print(peer, terminal: false, file)[0],
        Measurements.Echo(peer, terminal: true, characters)[0],
        Measurements.Start(peer, width: 1, starts),
    ];
}
