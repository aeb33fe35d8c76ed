namespace FurtherLink.Tests.Readme;

/// <summary>The lines of a block "console": "$ command", each followed by what it prints; a command that ends with "\" goes on in the next line.</summary>
internal static class CommandLines
{
    /// <summary>The commands with their output.</summary>
    public static IEnumerable<(string Command, List<string> Output)> Of(Example example)
    {
        string? command = null;
        List<string> output = [];
        foreach (var line in example.Lines)
        {
            if (line is ['$', ' ', .. var next])
            {
                if (command is not null)
                    yield return (command, output);
                (command, output) = (next, []);
            }
            else if (command is not null && command.EndsWith('\\'))
            {
                command = command[..^1] + line.Trim();
            }
            else
            {
                Assert.That(command, Is.Not.Null, $"{example}: a block begins with \"$ command\"");
                output.Add(line);
            }
        }

        if (command is not null)
            yield return (command, output);
    }
}
