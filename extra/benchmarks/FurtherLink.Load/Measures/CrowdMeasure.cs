using System.Diagnostics;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>Sessions that print at once, and clients that watch one, against one session with one client.</summary>
/// <param name="host">The published host.</param>
/// <param name="crowds">How many print at once.</param>
/// <param name="viewers">How many look at one session.</param>
/// <param name="file">What is printed again and again: small enough for the processor's caches, for it is not the programs that are measured.</param>
internal sealed class CrowdMeasure(string host, int[] crowds, int viewers, PrintedFile file) : IMeasure
{
    // How often each prints it: enough that starting does not count, and as much of one as of ten together.
    private const int Least = 10;
    private const int LeastTogether = 100;
    private FurtherLinkPeer? _peer;

    /// <inheritdoc/>
    public string Name => "crowd";

    /// <inheritdoc/>
    public string Against => "one session alone";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } =
    [
        .. crowds.Select(static busy => new Row($"output of {busy} sessions at once, together", "MB/s", 0.9, 1, MoreIsBetter: true)),
        new($"output of one session to {viewers} clients, together", "MB/s", MoreIsBetter: true),
    ];

    /// <inheritdoc/>
    public void Prepare() => _peer = new FurtherLinkPeer(host);

    /// <inheritdoc/>
    public double[] Ours() => [.. crowds.Select(Together), Viewed()];

    /// <inheritdoc/>
    public double[] Other()
    {
        var alone = Together(1);
        return [.. crowds.Select(_ => alone), alone];
    }

    /// <inheritdoc/>
    public void Dispose() => _peer?.Dispose();

    private double Together(int busy)
    {
        var times = Math.Max(Least, LeastTogether / busy);
        var links = Enumerable.Range(0, busy).Select(_ => _peer!.Open($"printf .; read line; exec {Print(times)}", terminal: false)).ToArray();
        foreach (var link in links)
            link.Receive(1);
        return Drain(links, links => Array.ForEach(links, static link => link.Send("\n"u8)), (double)times * file.Length);
    }

    private double Viewed()
    {
        var driver = _peer!.Connect();
        driver.SendMessage("""{"type":"start","process":"1","data":{"runner":"program","path":"/tmp","session":{"name":"viewed"},"args":["sh","-c","read line; exec """ + Print(Least) + "\"]}}");
        driver.Await("started", "1");
        var links = new Link[viewers];
        links[0] = driver;
        for (var i = 1; i < viewers; i++)
        {
            var viewer = _peer.Connect();
            viewer.SendMessage("""{"type":"attach","process":"1","data":{"session":"viewed","mode":"view","delivery":"lossless"}}""");
            viewer.Await("attached", "1");
            links[i] = viewer;
        }
        return Drain(links, static links => links[0].Send("\n"u8), (double)Least * file.Length);
    }

    private string Print(int times) => "cat " + string.Join(' ', Enumerable.Repeat(file.Path, times));

    private static double Drain(Link[] links, Action<Link[]> go, double each)
    {
        var readers = Array.ConvertAll(links, static link => new Thread(() =>
        {
            while (link.Receive() > 0)
            {
            }
        }));
        var watch = Stopwatch.StartNew();
        go(links);
        Array.ForEach(readers, static reader => reader.Start());
        Array.ForEach(readers, static reader => reader.Join());
        watch.Stop();
        Array.ForEach(links, static link => link.Dispose());
        return each * links.Length / 1e6 / watch.Elapsed.TotalSeconds;
    }
}
