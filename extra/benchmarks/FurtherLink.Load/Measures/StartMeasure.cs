using System.Diagnostics;
using System.Globalization;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>Starting /bin/true until its end is told, against posix_spawn and wait in C.</summary>
/// <param name="host">The published host.</param>
/// <param name="floor">The executable of floor.c.</param>
/// <param name="count">How many a round.</param>
internal sealed class StartMeasure(string host, string floor, int count) : IMeasure
{
    private FurtherLinkPeer? _peer;

    /// <inheritdoc/>
    public string Name => "start";

    /// <inheritdoc/>
    public string Against => "posix_spawn and wait in C";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } =
    [
        new("start to stopped of /bin/true, alone", "us", 2.5, 1.5),
        new("start to stopped of /bin/true, eight at a time", "us", 2, 1.3),
    ];

    /// <inheritdoc/>
    public void Prepare() => _peer = new FurtherLinkPeer(host);

    /// <inheritdoc/>
    public double[] Ours() => [Measurements.Start(_peer!, width: 1, count), Measurements.Start(_peer!, width: 8, count)];

    /// <inheritdoc/>
    public double[] Other() => [Spawn(1), Spawn(8)];

    /// <inheritdoc/>
    public void Dispose() => _peer?.Dispose();

    private double Spawn(int width)
    {
        var arguments = string.Create(CultureInfo.InvariantCulture, $"spawn {count} {width}");
        using var process = Process.Start(new ProcessStartInfo(floor, arguments) { UseShellExecute = false, RedirectStandardOutput = true })!;
        return double.Parse(process.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture) * 1e6 / count;
    }
}
