using System.CommandLine;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink serve": listens until a signal ends it.</summary>
internal static class ServeCommand
{
    /// <summary>Makes the command, with an option for each setting that has one.</summary>
    public static Command Create()
    {
        var command = new Command("serve", "Listen for clients and run what they start.");
        var options = Settings.All.Where(setting => setting.Option is not null).ToDictionary(setting => setting, MakeOption);
        foreach (var option in options.Values)
            command.Add(option);
        command.SetAction((result, cancellationToken) => RunAsync(result, options, cancellationToken));
        return command;
    }

    // All options are texts here: one check tells what is wrong with a value, wherever it was given.
    private static Option MakeOption(Setting setting) => setting.Shape switch
    {
        SettingShape.Switch => new Option<bool>(setting.Option!) { Description = setting.Description },
        SettingShape.List => new Option<string[]>(setting.Option!) { Description = setting.Description, HelpName = setting.ValueName },
        _ => new Option<string>(setting.Option!) { Description = setting.Description, HelpName = setting.ValueName },
    };

    private static async Task<int> RunAsync(ParseResult result, Dictionary<Setting, Option> options, CancellationToken cancellationToken)
    {
        var given = options
            .Where(pair => result.GetResult(pair.Value) is { Implicit: false })
            .ToDictionary(pair => pair.Key.Key, pair => Text(result, pair.Value));
        using var configuration = HostConfiguration.Load(given);
        SettingsCheck.Run(configuration);
        await LinkHost.RunAsync(configuration, result.InvocationConfiguration.Output, result.InvocationConfiguration.Error, cancellationToken);
        return 0;
    }

    private static string Text(ParseResult result, Option option) => option switch
    {
        Option<bool> flag => result.GetValue(flag) ? "true" : "false",
        Option<string[]> list => string.Join(',', result.GetValue(list)!),
        _ => result.GetValue((Option<string>)option)!,
    };
}
