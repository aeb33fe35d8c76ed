using System.Diagnostics;
using System.Globalization;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>What is measured of a peer in a round, each over a connection of its own.</summary>
internal static class Measurements
{
    private const double Micro = 1e6;

    /// <summary>Types characters, one after the other, into a program that gives each back.</summary>
    /// <param name="peer">Where.</param>
    /// <param name="terminal">Whether on a terminal.</param>
    /// <param name="count">How many.</param>
    /// <returns>The median and the 99th percentile of the times until one is back, in microseconds.</returns>
    public static double[] Echo(IPeer peer, bool terminal, int count)
    {
        using var link = peer.Open(terminal ? "stty raw -echo; printf .; exec cat" : "printf .; exec cat", terminal);
        link.Receive(1);
        for (var i = 0; i < count / 5; i++)
            Type(link);
        var times = new double[count];
        for (var i = 0; i < count; i++)
            times[i] = Type(link);
        Array.Sort(times);
        return [times[count / 2], times[count * 99 / 100]];
    }

    /// <summary>Has a file printed, and checks that all of it came.</summary>
    /// <param name="peer">Where.</param>
    /// <param name="terminal">Whether on a terminal.</param>
    /// <param name="file">The file.</param>
    /// <returns>Megabytes a second, and seconds of the server's processor time a gigabyte.</returns>
    public static double[] Print(IPeer peer, bool terminal, PrintedFile file)
    {
        var cpu = peer.Server.Cpu;
        var watch = Stopwatch.StartNew();
        int kept;
        using (var link = peer.Open(terminal ? $"stty raw; exec cat {file.Path}" : $"exec cat {file.Path}", terminal))
        {
            kept = link.ReceiveAll(file.Room);
            watch.Stop();
            cpu = peer.Server.Cpu - cpu;
            file.Check(link, kept);
        }
        return [file.Length / Micro / watch.Elapsed.TotalSeconds, cpu / (file.Length / 1e9)];
    }

    /// <summary>Types into a program that only reads.</summary>
    /// <param name="peer">Where.</param>
    /// <param name="length">How much, in bytes.</param>
    /// <returns>Megabytes a second.</returns>
    public static double[] Input(IPeer peer, int length)
    {
        var piece = new byte[16384];
        piece.AsSpan().Fill((byte)'x');
        using var link = peer.Open(string.Create(CultureInfo.InvariantCulture, $"printf .; head -c {length} >/dev/null; printf ."), terminal: false);
        link.Receive(1);
        var watch = Stopwatch.StartNew();
        for (var sent = 0; sent < length; sent += piece.Length)
            link.Send(piece);
        link.Receive(1);
        return [length / Micro / watch.Elapsed.TotalSeconds];
    }

    /// <summary>Starts programs that end at once.</summary>
    /// <param name="peer">Where.</param>
    /// <param name="width">How many at a time.</param>
    /// <param name="count">How many.</param>
    /// <returns>The time of each until it is known to have stopped, in microseconds.</returns>
    public static double Start(FurtherLinkPeer peer, int width, int count)
    {
        using var link = peer.Connect();
        var watch = Stopwatch.StartNew();
        for (var started = 0; started < count + width; started++)
        {
            if (started >= width)
                link.Await("stopped");
            if (started < count)
                link.StartProgram($"{started}", "\"/bin/true\"");
        }
        return watch.Elapsed.TotalMicroseconds / count;
    }

    private static double Type(Link link)
    {
        var start = Stopwatch.GetTimestamp();
        link.Send("x"u8);
        link.Receive(1);
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
