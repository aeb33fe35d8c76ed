using System.CommandLine;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Commands;

/// <summary>The options of a command that takes the host's settings: one for each setting that has one and concerns it.</summary>
internal sealed class SettingOptions
{
    private readonly Dictionary<Setting, Option> _options;

    /// <summary>Adds them to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="use">Whose settings it takes.</param>
    public SettingOptions(Command command, SettingUse use)
    {
        _options = Settings.All.Where(setting => setting.Option is not null && (setting.Use & use) != SettingUse.None).ToDictionary(setting => setting, Make);
        foreach (var option in _options.Values)
            command.Add(option);
    }

    /// <summary>The configuration of a command line, checked.</summary>
    /// <exception cref="SettingException">There are mistakes in it.</exception>
    public HostConfiguration Load(ParseResult result)
    {
        var given = _options
            .Where(pair => result.GetResult(pair.Value) is { Implicit: false })
            .ToDictionary(pair => pair.Key.Key, pair => Text(result, pair.Value));
        var configuration = HostConfiguration.Load(given);
        try
        {
            SettingsCheck.Run(configuration);
            return configuration;
        }
        catch
        {
            configuration.Dispose();
            throw;
        }
    }

    /// <summary>The options that a command line gives.</summary>
    public IEnumerable<string> Given(ParseResult result) =>
        _options.Values.Where(option => result.GetResult(option) is { Implicit: false }).Select(static option => option.Name);

    // All options are texts here: one check tells what is wrong with a value, wherever it was given.
    private static Option Make(Setting setting) => setting.Shape switch
    {
        SettingShape.Switch => new Option<bool>(setting.Option!) { Description = setting.Description },
        SettingShape.List => new Option<string[]>(setting.Option!) { Description = setting.Description, HelpName = setting.ValueName },
        _ => new Option<string>(setting.Option!) { Description = setting.Description, HelpName = setting.ValueName },
    };

    private static string Text(ParseResult result, Option option) => option switch
    {
        Option<bool> flag => result.GetValue(flag) ? "true" : "false",
        Option<string[]> list => string.Join(',', result.GetValue(list)!),
        _ => result.GetValue((Option<string>)option)!,
    };
}
