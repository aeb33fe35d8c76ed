using System.Diagnostics.Metrics;

namespace FurtherLink.Transports.Portacode.Bandwidth;

/// <summary>What goes to gateways, in numbers: the meter "FurtherLink.Portacode". Thread safe.</summary>
internal static class TrafficMetrics
{
    private static readonly Meter Meter = new("FurtherLink.Portacode");

    private static readonly Counter<long> SentBytes = Meter.CreateCounter<long>(
        "furtherlink.portacode.sent", "By", "Bytes of frames written to gateways, by channel: control, terminal or file.");

    private static readonly Counter<long> ThrottledTimes = Meter.CreateCounter<long>(
        "furtherlink.portacode.throttled", "{wait}", "Waits for a limit of a client, a terminal or files, by channel.");

    private static readonly Counter<long> SkippedBytes = Meter.CreateCounter<long>(
        "furtherlink.portacode.skipped", "By", "Bytes of output that clients over their limit were not sent while others were.");

    /// <summary>A frame was written.</summary>
    public static void Sent(string channel, long bytes) => SentBytes.Add(bytes, new KeyValuePair<string, object?>("channel", channel));

    /// <summary>Something waits for a limit.</summary>
    public static void Throttled(string channel) => ThrottledTimes.Add(1, new KeyValuePair<string, object?>("channel", channel));

    /// <summary>A client was left out of output.</summary>
    public static void Skipped(long bytes) => SkippedBytes.Add(bytes);
}
