using System.CommandLine;

namespace FurtherLink.Host.Commands;

/// <summary>The option that says where in a session's output to begin.</summary>
internal static class OffsetOption
{
    /// <summary>Makes it.</summary>
    /// <param name="description">What it is for, and its default.</param>
    public static Option<long?> Create(string description) => new("--from")
    {
        Description = description,
        HelpName = "offset",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (long.TryParse(text, out var offset) && offset >= 0)
                return offset;
            result.AddError($"--from \"{text}\" must be a whole number of bytes, not negative");
            return null;
        },
    };
}
