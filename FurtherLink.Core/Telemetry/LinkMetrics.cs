using System.Diagnostics.Metrics;
using FurtherLink.Messages;

namespace FurtherLink.Telemetry;

/// <summary>
/// Counts what this process does, for whoever listens to its meter. Names follow OpenTelemetry's conventions, units are UCUM's, and no attribute
/// is made of what clients say. Thread safe; neither waits nor throws, and what is called for each piece of output allocates nothing.
/// </summary>
internal sealed class LinkMetrics : IDisposable
{
    /// <summary>The attribute with a runner's name.</summary>
    public const string RunnerKey = "furtherlink.runner";

    /// <summary>The attribute with what became of a program.</summary>
    public const string OutcomeKey = "furtherlink.session.outcome";

    /// <summary>The attribute with a dialect's name.</summary>
    public const string CodecKey = "furtherlink.codec";

    /// <summary>The attribute that tells standard output from standard error.</summary>
    public const string StreamKey = "furtherlink.stream";

    /// <summary>OpenTelemetry's attribute with the kind of a failure.</summary>
    public const string ErrorKey = "error.type";

    private static readonly KeyValuePair<string, object?> Out = new(StreamKey, "out");
    private static readonly KeyValuePair<string, object?> Error = new(StreamKey, "error");

    // From a command that ends at once to a terminal that stays open for a day.
    private static readonly double[] DurationBounds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400];

    private readonly Meter? _own;
    private readonly Tally _sessions = new(RunnerKey);
    private readonly Tally _clients = new(CodecKey);
    private readonly Counter<long> _started;
    private readonly Counter<long> _exited;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _failures;
    private long _out;
    private long _error;
    private long _input;
    private long _missed;
    private long _pauses;

    /// <summary>Makes the instruments.</summary>
    /// <param name="factory">Makes the meter, and owns it; null = it is made, and ended, here.</param>
    public LinkMetrics(IMeterFactory? factory)
    {
        var options = new MeterOptions(LinkTelemetry.MeterName) { Version = FurtherLinkVersion.Current };
        var meter = factory?.Create(options) ?? (_own = new Meter(options));
        meter.CreateObservableUpDownCounter("furtherlink.sessions.active", _sessions.Measure, "{session}", "Programs that run, or are being started.");
        _started = meter.CreateCounter<long>("furtherlink.sessions.started", "{session}", "Programs that were to be started.");
        _exited = meter.CreateCounter<long>("furtherlink.sessions.exited", "{session}", "Programs that have ended, or could not be started.");
        _duration = meter.CreateHistogram(
            "furtherlink.session.duration", "s", "How long programs ran that have ended.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBounds });
        meter.CreateObservableUpDownCounter("furtherlink.clients.active", _clients.Measure, "{client}", "Connections that are being served.");
        meter.CreateObservableCounter("furtherlink.output.bytes", MeasureOutput, "By", "What programs have printed.");
        meter.CreateObservableCounter("furtherlink.output.missed_bytes", () => Volatile.Read(ref _missed), "By", "Output that clients were too slow or too late for, and were told they missed.");
        meter.CreateObservableCounter("furtherlink.output.pauses", () => Volatile.Read(ref _pauses), "{pause}", "How often a program began to wait because its log was full and a client had not taken it.");
        meter.CreateObservableCounter("furtherlink.input.bytes", () => Volatile.Read(ref _input), "By", "What was handed to programs as their input.");
        _failures = meter.CreateCounter<long>("furtherlink.failures", "{failure}", "Requests that were answered with an error.");
    }

    /// <summary>A program is about to be started.</summary>
    /// <param name="runner">The name of a registered runner.</param>
    public void SessionStarted(string runner)
    {
        _started.Add(1, new KeyValuePair<string, object?>(RunnerKey, runner));
        _sessions.Add(runner, 1);
    }

    /// <summary>It could not be.</summary>
    public void SessionFailedToStart(string runner) => End(runner, "not_started");

    /// <summary>A program that an earlier process had started was taken back.</summary>
    public void SessionRecovered(string runner) => _sessions.Add(runner, 1);

    /// <summary>A program has ended.</summary>
    public void SessionExited(string runner, ExitStatus status, TimeSpan duration)
    {
        var outcome = status switch { { Signal: not null } => "signal", { Code: 0 } => "success", _ => "failure" };
        End(runner, outcome);
        // A clock that was set back.
        _duration.Record(Math.Max(0, duration.TotalSeconds), new(RunnerKey, runner), new(OutcomeKey, outcome));
    }

    /// <summary>A connection is served from now on.</summary>
    /// <param name="codec">The name of a registered dialect.</param>
    public void ClientCame(string codec) => _clients.Add(codec, 1);

    /// <summary>It has ended.</summary>
    public void ClientLeft(string codec) => _clients.Add(codec, -1);

    /// <summary>A program has printed something.</summary>
    public void Printed(OutputKind kind, int bytes) => Interlocked.Add(ref kind is OutputKind.Error ? ref _error : ref _out, bytes);

    /// <summary>A program was given input.</summary>
    public void Typed(long bytes) => Interlocked.Add(ref _input, bytes);

    /// <summary>A client was told that it missed output.</summary>
    public void Missed(long bytes) => Interlocked.Add(ref _missed, bytes);

    /// <summary>A program begins to wait for a client.</summary>
    public void Paused() => Interlocked.Increment(ref _pauses);

    /// <summary>A request was answered with an error.</summary>
    public void Failed(FailureCode code) => _failures.Add(1, new KeyValuePair<string, object?>(ErrorKey, ErrorType.Of(code)));

    /// <inheritdoc/>
    public void Dispose() => _own?.Dispose();

    private void End(string runner, string outcome)
    {
        _sessions.Add(runner, -1);
        _exited.Add(1, new(RunnerKey, runner), new(OutcomeKey, outcome));
    }

    private IEnumerable<Measurement<long>> MeasureOutput() => [new(Volatile.Read(ref _out), Out), new(Volatile.Read(ref _error), Error)];
}
