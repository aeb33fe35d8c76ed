using System.Diagnostics;
using FurtherLink.Messages;

namespace FurtherLink.Telemetry;

/// <summary>
/// Activities for whoever traces: ids, names and kinds of failures, never what is typed, printed or told. Where nobody listens there are none.
/// </summary>
internal static class LinkActivities
{
    // A client may call for anything.
    private const int LongestName = 64;

    private static readonly ActivitySource Source = new(LinkTelemetry.ActivitySourceName, FurtherLinkVersion.Current);

    /// <summary>A program is to be started.</summary>
    public static Activity? StartSession() => Source.StartActivity("start session");

    /// <summary>A service is called.</summary>
    /// <param name="service">The name of a registered service.</param>
    /// <param name="call">The whole name of the call.</param>
    public static Activity? Call(string service, string call)
    {
        var activity = Source.StartActivity($"call {service}");
        activity?.SetTag("rpc.service", service).SetTag("rpc.method", call.Length <= LongestName ? call : call[..LongestName]);
        return activity;
    }

    /// <summary>Says which program it is about.</summary>
    public static void Describe(this Activity activity, SessionInfo session) => activity
        .SetTag(LinkMetrics.RunnerKey, session.Runner).SetTag("furtherlink.session.id", session.Id).SetTag("process.pid", session.ProcessId);

    /// <summary>It has failed. That somebody who has gone did not wait for it is no failure.</summary>
    public static void Fail(this Activity activity, Exception exception)
    {
        if (exception is not OperationCanceledException)
            activity.SetTag(LinkMetrics.ErrorKey, ErrorType.Of(exception)).SetStatus(ActivityStatusCode.Error);
    }
}
