using System.Globalization;
using System.Text;
using FurtherLink.Load.Measures;

namespace FurtherLink.Load;

/// <summary>Takes the rounds of measurements, alternating, and makes a table of their medians.</summary>
internal sealed class Report
{
    private const int WarmUp = 3;

    private readonly StringBuilder _table = new(
        "| what | unit | ours | other | against | ratio | must | aim |\n|---|---|---|---|---|---|---|---|\n");

    /// <summary>Whether everything that has to be kept was.</summary>
    public bool Kept { get; private set; } = true;

    /// <summary>Measures in rounds: ours, the other, ours, the other.</summary>
    public void Take(IMeasure measure, int rounds)
    {
        measure.Prepare();
        var ours = new List<double[]>();
        var other = new List<double[]>();
        var alone = measure.Against is null;
        // The first rounds warm up: what is compiled once more after a while then is.
        var warm = alone ? 0 : Math.Min(rounds, WarmUp);
        for (var i = -warm; i < (alone ? 1 : rounds); i++)
        {
            Progress(measure, i + 1, alone ? 1 : rounds);
            var one = measure.Ours();
            var two = alone ? one : measure.Other();
            if (i < 0)
                continue;
            ours.Add(one);
            other.Add(two);
        }
        for (var row = 0; row < measure.Rows.Count; row++)
            Add(measure.Rows[row], measure.Against, [.. ours.Select(figures => figures[row])], [.. other.Select(figures => figures[row])]);
    }

    /// <inheritdoc/>
    public override string ToString() => _table.ToString();

    private static void Progress(IMeasure measure, int round, int rounds) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{measure.Name}: {(round <= 0 ? "warming up" : $"round {round} of {rounds}")}"));

    private static double Median(double[] figures)
    {
        Array.Sort(figures);
        return figures.Length % 2 == 1 ? figures[figures.Length / 2] : (figures[figures.Length / 2] + figures[(figures.Length / 2) - 1]) / 2;
    }

    private static string Figure(double? figure) => figure switch
    {
        null => "",
        >= 100 => figure.Value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 => figure.Value.ToString("F1", CultureInfo.InvariantCulture),
        _ => figure.Value.ToString("0.##", CultureInfo.InvariantCulture),
    };

    private void Add(Row row, string? against, double[] ours, double[] other)
    {
        var ratio = against is null ? ours[0] : Median([.. ours.Zip(other, static (a, b) => a / b)]);
        var kept = row.Must is not { } must || (row.MoreIsBetter ? ratio >= must : ratio <= must);
        Kept &= kept;
        string[] cells =
        [
            row.What, row.Unit, Figure(Median(ours)), against is null ? "" : Figure(Median(other)), against ?? "",
            against is null ? "" : Figure(ratio), Figure(row.Must) + (kept ? "" : " **missed**"), Figure(row.Aim),
        ];
        _table.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
