using System.Collections.Frozen;
using System.Globalization;

namespace FurtherLink.Host.Configuration;

/// <summary>Finds every mistake in the settings before anything is started.</summary>
internal static class SettingsCheck
{
    private static readonly Func<string, string?> Bandwidth = Checks.Number(0, long.MaxValue);

    /// <summary>What the settings of a profile must look like.</summary>
    public static FrozenDictionary<string, Func<string, string?>> Profiles { get; } = new Dictionary<string, Func<string, string?>>(StringComparer.OrdinalIgnoreCase)
    {
        ["Memory"] = Checks.Size(1024 * 1024, long.MaxValue),
        ["CpuTime"] = static text => Checks.PositiveDuration(text) ?? (TimeSpan.Parse(text, CultureInfo.InvariantCulture) < TimeSpan.FromSeconds(1) ? "must be at least 00:00:01" : null),
        ["Cpus"] = Checks.Processors,
        ["Processes"] = Checks.Number(1, int.MaxValue),
        ["OpenFiles"] = Checks.Number(16, int.MaxValue),
        ["WallTime"] = Checks.PositiveDuration,
        ["Sandbox"] = Checks.TrueOrFalse,
        ["Network"] = Checks.TrueOrFalse,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] RunnerKeys = ["Command", "Extension", "Environment"];

    /// <summary>Checks everything that is given.</summary>
    /// <exception cref="SettingException">All mistakes found, each with its setting's name and where it was given.</exception>
    public static void Run(HostConfiguration configuration)
    {
        List<string> mistakes = [];
        foreach (var setting in Settings.All)
        {
            var values = setting.Shape switch
            {
                SettingShape.Group => [],
                SettingShape.List => configuration.FindList(setting.Key),
                _ => configuration.Find(setting.Key) is { } value ? [value] : [],
            };
            mistakes.AddRange(values
                .Select(value => setting.Check(value.Text) is { } words ? $"{setting.Name}: \"{value.Text}\" {words} (from {value.Origin})." : null)
                .OfType<string>());
        }

        var section = configuration.Root.GetSection(HostConfiguration.Section);
        mistakes.AddRange(Unknown(section, "").Select(child => $"{child.Name}: there is no such setting{Nearest(child.Name)} (from {configuration.Origin(child.Path)})."));
        mistakes.AddRange(section.GetSection("Portacode:Bandwidth").GetChildren()
            .Where(static limit => Bandwidth(limit.Value ?? "") is not null)
            .Select(limit => $"Portacode:Bandwidth:{limit.Key}: \"{limit.Value}\" {Bandwidth("")} (from {configuration.Origin(limit.Path)})."));
        foreach (var runner in section.GetSection("Runners").GetChildren())
            mistakes.AddRange(Runner(configuration, runner));
        foreach (var profile in section.GetSection("Profiles").GetChildren())
            mistakes.AddRange(Profile(configuration, profile));
        if (mistakes.Count > 0)
            throw new SettingException(mistakes);
    }

    private static IEnumerable<(string Name, string Path)> Unknown(IConfigurationSection section, string prefix) => section.GetChildren().SelectMany(child =>
    {
        var name = prefix + child.Key;
        if (Settings.All.Any(setting => setting.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            return [];
        var isSection = Settings.All.Any(setting => setting.Name.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase));
        return isSection && child.Value is null ? Unknown(child, name + ":") : [(name, child.Path)];
    });

    private static IEnumerable<string> Profile(HostConfiguration configuration, IConfigurationSection profile) => profile.GetChildren().Select(setting =>
    {
        var name = $"Profiles:{profile.Key}:{setting.Key}";

        // Those that have an option have been checked.
        if (Settings.All.Any(one => one.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            return null;
        var text = configuration.Find(setting.Path)?.Text ?? "";
        var wrong = Profiles.TryGetValue(setting.Key, out var check) ? check(text) : $"is no setting of a profile, which has {string.Join(", ", Profiles.Keys.Order(StringComparer.Ordinal))}";
        return wrong is null ? null : $"{name}: \"{text}\" {wrong} (from {configuration.Origin(setting.Path)}).";
    }).OfType<string>();

    private static IEnumerable<string> Runner(HostConfiguration configuration, IConfigurationSection runner)
    {
        var name = $"Runners:{runner.Key}";
        var origin = configuration.Origin(runner.Path);
        if (string.IsNullOrWhiteSpace(runner["Command"]))
            yield return $"{name}:Command: is missing; give the command line, with {{file}} where the program's file goes (from {origin}).";
        else if (!IsSplit(runner["Command"]!))
            yield return $"{name}:Command: a quote is not closed in: {runner["Command"]} (from {origin}).";
        foreach (var key in runner.GetChildren().Select(child => child.Key).Except(RunnerKeys, StringComparer.OrdinalIgnoreCase))
            yield return $"{name}:{key}: there is no such setting; a runner has {string.Join(", ", RunnerKeys)} (from {origin}).";
        if (runner["Extension"] is { Length: > 0 } extension && (!extension.StartsWith('.') || extension.Contains('/')))
            yield return $"{name}:Extension: \"{extension}\" must begin with a dot, as in .js (from {origin}).";
    }

    private static bool IsSplit(string command)
    {
        try
        {
            return RunnerOptions.Split(command).Count > 0;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string Nearest(string key)
    {
        var nearest = Settings.All.MinBy(setting => Distance(setting.Name, key))!.Name;
        return Distance(nearest, key) <= 2 ? $"; did you mean {nearest}?" : "";
    }

    // Levenshtein's distance, case ignored: how many letters must be added, left out or changed.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = diagonal + (char.ToUpperInvariant(left[i - 1]) == char.ToUpperInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
