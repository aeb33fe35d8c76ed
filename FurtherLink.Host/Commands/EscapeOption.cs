using System.CommandLine;
using FurtherLink.Host.Consoles;

namespace FurtherLink.Host.Commands;

/// <summary>The option that says by which keys a person leaves a terminal.</summary>
internal sealed class EscapeOption
{
    private readonly Option<string> _option = new("--escape")
    {
        Description = $"The keys that leave it: two characters at the beginning of a line, or a control character as ^], or none. Default {EscapeKeys.Default}",
        HelpName = "keys",
    };

    /// <summary>Adds it to a command.</summary>
    public EscapeOption(Command command)
    {
        command.Add(_option);
        _option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } text && EscapeKeys.TryParse(text) is null)
                result.AddError($"--escape \"{text}\" must be two different characters as ~., a control character as ^], or none");
        });
    }

    /// <summary>The keys.</summary>
    public EscapeKeys Read(ParseResult result) => EscapeKeys.TryParse(result.GetValue(_option) ?? EscapeKeys.Default)!;
}
