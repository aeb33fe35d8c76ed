using System.Diagnostics.Metrics;
using FurtherLink.Telemetry;

namespace FurtherLink.Tests.Support;

/// <summary>Listens to FurtherLink's meter of one host alone, as whatever exports metrics does.</summary>
internal sealed class MeterReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, double> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<double>> _recorded = new(StringComparer.Ordinal);

    /// <summary>Listens from now on.</summary>
    /// <param name="scope">The host's meters.</param>
    public MeterReader(IMeterFactory scope)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != LinkTelemetry.MeterName || instrument.Meter.Scope != scope)
                return;
            Instruments.Add(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>All instruments of the meter.</summary>
    public List<Instrument> Instruments { get; } = [];

    /// <summary>The sum or count now of an instrument, with its attributes' values behind its name: "furtherlink.sessions.exited exec success".</summary>
    public double this[string name]
    {
        get
        {
            _listener.RecordObservableInstruments();
            lock (_lock)
                return _values.GetValueOrDefault(name);
        }
    }

    /// <summary>What a histogram was given, by name as with the index.</summary>
    public double[] Recorded(string name)
    {
        lock (_lock)
            return [.. _recorded.GetValueOrDefault(name, [])];
    }

    /// <summary>All names that have a value.</summary>
    public string[] Names
    {
        get
        {
            _listener.RecordObservableInstruments();
            lock (_lock)
                return [.. _values.Keys];
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name = instrument.Name;
        foreach (var tag in tags)
            name += " " + tag.Value;
        lock (_lock)
        {
            if (instrument is Histogram<double>)
            {
                if (!_recorded.TryGetValue(name, out var recorded))
                    _recorded[name] = recorded = [];
                recorded.Add(value);
            }

            _values[name] = instrument.IsObservable ? value : _values.GetValueOrDefault(name) + value;
        }
    }
}
