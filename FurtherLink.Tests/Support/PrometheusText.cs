using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FurtherLink.Tests.Support;

/// <summary>
/// Reads Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) and lets nothing pass that it does not allow.
/// </summary>
internal sealed partial class PrometheusText
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly HashSet<string> _helped = new(StringComparer.Ordinal);
    private readonly HashSet<string> _over = new(StringComparer.Ordinal);
    private string? _current;

    private PrometheusText()
    {
    }

    /// <summary>All series in their order.</summary>
    public List<Sample> Samples { get; } = [];

    /// <summary>The type of each metric.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Reads a whole answer.</summary>
    /// <exception cref="FormatException">It is not in the format; the message has the line.</exception>
    public static PrometheusText Parse(string text)
    {
        if (!text.EndsWith('\n'))
            throw new FormatException("The last line has no end.");
        var result = new PrometheusText();
        foreach (var line in text[..^1].Split('\n'))
            result.Take(line);
        result.CheckHistograms();
        return result;
    }

    /// <summary>The sum of all series of a name with these labels.</summary>
    public double Sum(string name, params (string Name, string Value)[] labels) =>
        Samples.Where(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)).Sum(sample => sample.Value);

    private void Take(string line)
    {
        if (line.Length == 0)
            return;
        if (Comment().Match(line) is { Success: true } comment)
            TakeComment(line, comment.Groups["kind"].Value, comment.Groups["name"].Value, comment.Groups["rest"].Value);
        else if (!line.StartsWith('#'))
            TakeSample(line);
    }

    private void TakeComment(string line, string kind, string name, string rest)
    {
        Enter(name, line);
        if (kind == "HELP")
        {
            Demand(_helped.Add(name), line, "a second HELP");
            Demand(!BadHelp().IsMatch(rest), line, "a bad escape");
            return;
        }

        Demand(rest is "counter" or "gauge" or "histogram" or "summary" or "untyped", line, "no type");
        Demand(_types.TryAdd(name, rest), line, "a second TYPE");
        Demand(Samples.All(sample => sample.Name != name), line, "TYPE behind samples");
    }

    private void TakeSample(string line)
    {
        var match = Series().Match(line);
        Demand(match.Success, line, "no sample");
        var name = match.Groups["name"].Value;
        var family = FamilyOf(name);
        Demand(_types.ContainsKey(family), line, "no TYPE before it");
        Enter(family, line);
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = match.Groups["labels"].Value;
        while (rest.Length > 0)
        {
            var label = Label().Match(rest);
            Demand(label.Success, line, $"no label at {rest}");
            Demand(labels.TryAdd(label.Groups["name"].Value, Unescape(label.Groups["value"].Value)), line, "a label twice");
            rest = rest[label.Length..];
        }

        var value = match.Groups["value"].Value switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            var number => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture),
        };
        var sample = new Sample(name, labels, value);
        Demand(Samples.TrueForAll(one => one.Key != sample.Key), line, "a series twice");
        if (_types[family] is "counter")
        {
            Demand(name.EndsWith("_total", StringComparison.Ordinal), line, "a counter that is no _total");
            Demand(value >= 0, line, "a counter below 0");
        }

        Samples.Add(sample);
    }

    // All lines of one metric stand together.
    private void Enter(string family, string line)
    {
        if (family == _current)
            return;
        if (_current is not null)
            _over.Add(_current);
        Demand(!_over.Contains(family), line, "a metric in two places");
        _current = family;
    }

    private string FamilyOf(string name)
    {
        foreach (var end in new[] { "_bucket", "_sum", "_count" })
        {
            if (name.EndsWith(end, StringComparison.Ordinal) && _types.GetValueOrDefault(name[..^end.Length]) is "histogram")
                return name[..^end.Length];
        }

        return name;
    }

    private void CheckHistograms()
    {
        foreach (var family in _types.Where(type => type.Value == "histogram").Select(type => type.Key))
        {
            foreach (var series in Samples.Where(sample => sample.Name == family + "_bucket").GroupBy(sample => sample.KeyWithout("le")))
            {
                var bounds = series.Select(bucket => bucket.Labels["le"] == "+Inf" ? double.PositiveInfinity : double.Parse(bucket.Labels["le"], CultureInfo.InvariantCulture)).ToList();
                Demand(bounds.SequenceEqual(bounds.Distinct().Order()) && double.IsPositiveInfinity(bounds[^1]), family, "buckets out of order, or without +Inf");
                Demand(series.Select(bucket => bucket.Value).SequenceEqual(series.Select(bucket => bucket.Value).Order()), family, "buckets that are not cumulative");
                var labels = series.First().KeyWithout("le")[(family.Length + "_bucket".Length)..];
                Demand(Samples.Single(sample => sample.Key == family + "_count" + labels).Value == series.Last().Value, family, "a count that is not the last bucket");
                Demand(Samples.Exists(sample => sample.Key == family + "_sum" + labels), family, "no sum");
            }
        }
    }

    private static string Unescape(string text)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
            result.Append(text[i] != '\\' ? text[i] : text[++i] is 'n' ? '\n' : text[i]);
        return result.ToString();
    }

    private static void Demand(bool right, string line, string what)
    {
        if (!right)
            throw new FormatException($"{what}: {line}");
    }

    [GeneratedRegex("^# (?<kind>HELP|TYPE) (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<rest>.*)$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Comment();

    [GeneratedRegex(@"(^|[^\\])(\\\\)*\\([^\\n]|$)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex BadHelp();

    [GeneratedRegex("""
        ^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>([^"}]|"([^"\\]|\\[\\"n])*")*)\})? (?<value>[+-]Inf|NaN|[-+0-9.eE]+)( [0-9]+)?$
        """, RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Series();

    [GeneratedRegex("""
        ^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>([^"\\]|\\[\\"n])*)"(,|$)
        """, RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Label();

    /// <summary>One series' value.</summary>
    /// <param name="Name">The name.</param>
    /// <param name="Labels">The labels.</param>
    /// <param name="Value">The value.</param>
    public sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
    {
        /// <summary>What makes it one series.</summary>
        public string Key => KeyWithout("");

        /// <summary>The same without a label.</summary>
        public string KeyWithout(string label) => Name + string.Concat(Labels.Where(one => one.Key != label).OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $" {one.Key}={one.Value}"));
    }
}
