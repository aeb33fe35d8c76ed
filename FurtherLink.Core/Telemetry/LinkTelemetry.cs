namespace FurtherLink.Telemetry;

/// <summary>The names under which FurtherLink tells how it is doing: what an application names to whatever collects its metrics and traces.</summary>
public static class LinkTelemetry
{
    /// <summary>The name of the meter (System.Diagnostics.Metrics).</summary>
    public const string MeterName = "FurtherLink";

    /// <summary>The name of the activity source (System.Diagnostics.ActivitySource).</summary>
    public const string ActivitySourceName = "FurtherLink";
}
