using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.FileProviders;

namespace FurtherLink.Host.Configuration;

/// <summary>
/// All settings with where each comes from. The strongest first: command line, FURTHER_LINK_* variables, FurtherLink__* variables,
/// appsettings.json in the working directory, appsettings.json beside the executable.
/// </summary>
internal sealed class HostConfiguration : IDisposable
{
    /// <summary>The section that holds the settings.</summary>
    public const string Section = "FurtherLink";

    private readonly List<Layer> _layers = [];

    private HostConfiguration(List<(IConfigurationSource Source, Func<string, string> Describe)> sources)
    {
        var builder = new ConfigurationBuilder();
        foreach (var (source, _) in sources)
            builder.Add(source);

        // What is read of sizes, above the layers, which tell how they are written.
        Root = builder.Add(new MemoryConfigurationSource()).Build();
        foreach (var size in Sizes(Root))
        {
            if (Root[size] is { } text && ByteSize.TryParse(text) is { } bytes)
                Root.Providers.Last().Set(size, bytes.ToString(CultureInfo.InvariantCulture));
        }

        _layers.AddRange(Root.Providers.Zip(sources, static (provider, source) => new Layer(provider, source.Describe)).Reverse());
    }

    /// <summary>Everything, for binding.</summary>
    public IConfigurationRoot Root { get; }

    /// <summary>Reads all sources.</summary>
    /// <param name="commandLine">Values by the full keys of settings; lists as one text with commas.</param>
    /// <exception cref="SettingException">A file is not what it should be.</exception>
    public static HostConfiguration Load(IReadOnlyDictionary<string, string> commandLine) =>
        Load(commandLine, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory, Environment.CurrentDirectory);

    /// <summary>Reads all sources of an environment of one's own.</summary>
    /// <param name="commandLine">Values by the full keys of settings; lists as one text with commas.</param>
    /// <param name="variables">Environment variables.</param>
    /// <param name="directories">Where an appsettings.json may be, the weakest first.</param>
    /// <exception cref="SettingException">A file is not what it should be.</exception>
    public static HostConfiguration Load(IReadOnlyDictionary<string, string> commandLine, IDictionary variables, params IEnumerable<string> directories)
    {
        List<(IConfigurationSource, Func<string, string>)> sources = [];
        foreach (var directory in directories.Select(Path.TrimEndingDirectorySeparator).Distinct(StringComparer.Ordinal))
        {
            var path = Path.Combine(directory, "appsettings.json");
            if (File.Exists(path))
                sources.Add((JsonFile(path), _ => path));
        }

        sources.Add((new MemoryConfigurationSource { InitialData = Nested(variables) }, key => VariableName(variables, key)));
        sources.Add((new VariablesSource(variables), static key => Named(key)?.Variable ?? key));
        sources.Add((new MemoryConfigurationSource { InitialData = commandLine! }, static key => Named(key)?.Option ?? key));
        try
        {
            return new HostConfiguration(sources);
        }
        catch (InvalidDataException exception)
        {
            throw new SettingException($"{exception.Message} {(exception.GetBaseException() as System.Text.Json.JsonException)?.Message}".TrimEnd());
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new SettingException($"appsettings.json: {exception.Message}");
        }
    }

    /// <summary>A value from the strongest source that has it; null = nowhere given.</summary>
    public SettingValue? Find(string key)
    {
        foreach (var layer in _layers)
        {
            if (layer.Provider.TryGet(key, out var value) && value is not null)
                return new SettingValue(value, layer.Describe(key));
        }

        return null;
    }

    /// <summary>A list from the strongest source that has any of it (sources do not mix), an array or one text with commas.</summary>
    public IReadOnlyList<SettingValue> FindList(string key)
    {
        foreach (var (provider, describe) in _layers)
        {
            var children = provider.GetChildKeys([], key).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
            if (children.Count > 0)
            {
                return [.. children.Select(child => key + ":" + child)
                    .Select(path => provider.TryGet(path, out var item) ? new SettingValue(item ?? "", describe(path)) : null).OfType<SettingValue>()];
            }

            if (provider.TryGet(key, out var text))
            {
                return [.. (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(item => new SettingValue(item, describe(key)))];
            }
        }

        return [];
    }

    /// <summary>Where a key comes from that is given somewhere, or has something below it.</summary>
    public string Origin(string key)
    {
        foreach (var (provider, describe) in _layers)
        {
            if (provider.TryGet(key, out _))
                return describe(key);
            if (provider.GetChildKeys([], key).FirstOrDefault() is { } child)
                return describe(key + ":" + child);
        }

        return "";
    }

    /// <inheritdoc/>
    public void Dispose() => (Root as IDisposable)?.Dispose();

    private static JsonConfigurationSource JsonFile(string path) => new()
    {
        FileProvider = new PhysicalFileProvider(Path.GetDirectoryName(path)!),
        Path = Path.GetFileName(path),
        ReloadOnChange = false,
    };

    private static List<string> Sizes(IConfiguration root) =>
    [
        .. Settings.All.Where(static setting => setting.IsSize).Select(static setting => setting.Key),
        .. root.GetSection(Section + ":Profiles").GetChildren().Select(static profile => profile.Path + ":Memory"),
    ];

    // FurtherLink__Port is FurtherLink:Port, as everywhere in .NET.
    private static Dictionary<string, string?> Nested(IDictionary variables)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry variable in variables)
        {
            if ((string)variable.Key is var name && name.Contains("__", StringComparison.Ordinal))
                values[name.Replace("__", ":", StringComparison.Ordinal)] = (string?)variable.Value;
        }

        return values;
    }

    private static Setting? Named(string key) =>
        Settings.All.FirstOrDefault(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    private static string VariableName(IDictionary variables, string key)
    {
        var name = key.Replace(":", "__", StringComparison.Ordinal);
        return variables.Keys.Cast<string>().FirstOrDefault(variable => variable.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? name;
    }

    private sealed record Layer(IConfigurationProvider Provider, Func<string, string> Describe);
}

/// <summary>A setting's value.</summary>
/// <param name="Text">As written.</param>
/// <param name="Origin">Where: an option, a variable, a file.</param>
internal sealed record SettingValue(string Text, string Origin);
