namespace FurtherLink.Host.Configuration;

/// <summary>One setting: what it is called everywhere it can be given, and what its value must look like.</summary>
/// <param name="Name">Its name in section "FurtherLink" of appsettings.json, and in the environment after "FurtherLink__".</param>
/// <param name="Description">One line for people.</param>
internal sealed record Setting(string Name, string Description)
{
    /// <summary>One value, a switch, a list, or a group with settings of its own.</summary>
    public SettingShape Shape { get; init; }

    /// <summary>The command line option; null = none.</summary>
    public string? Option { get; init; }

    /// <summary>The commands that it concerns, and that have its option.</summary>
    public SettingUse Use { get; init; } = SettingUse.Serve | SettingUse.Connect | SettingUse.Stdio;

    /// <summary>What the option's value is called in the help.</summary>
    public string? ValueName { get; init; }

    /// <summary>The existing server's environment variable; null = none.</summary>
    public string? Variable { get; init; }

    /// <summary>What the variable's text means as a value; null = not given.</summary>
    public Func<string, string?> FromVariable { get; init; } = static text => text.Length == 0 ? null : text;

    /// <summary>Whether it is a number of bytes, which may be given with a unit.</summary>
    public bool IsSize { get; init; }

    /// <summary>Says in words what is wrong with one value ("must be ..."); null = nothing.</summary>
    public Func<string, string?> Check { get; init; } = static _ => null;

    /// <summary>Its full key.</summary>
    public string Key => HostConfiguration.Section + ":" + Name;
}

/// <summary>Which commands a setting concerns.</summary>
[Flags]
internal enum SettingUse
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>"furtherlink serve".</summary>
    Serve = 1,

    /// <summary>"furtherlink connect".</summary>
    Connect = 2,

    /// <summary>"furtherlink stdio", where it serves itself.</summary>
    Stdio = 4,

    /// <summary>"furtherlink cert".</summary>
    Certificate = 8,

    /// <summary>"furtherlink token".</summary>
    Token = 16,

    /// <summary>"furtherlink pair".</summary>
    Pair = 32,
}

/// <summary>How a setting is written.</summary>
internal enum SettingShape
{
    /// <summary>One value.</summary>
    Value,

    /// <summary>On or off.</summary>
    Switch,

    /// <summary>Several values: an array, or one text with commas.</summary>
    List,

    /// <summary>Named objects with settings of their own.</summary>
    Group,
}
