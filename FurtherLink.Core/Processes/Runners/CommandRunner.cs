using FurtherLink.Messages;

namespace FurtherLink.Processes.Runners;

/// <summary>A runner made by configuration alone, <see cref="RunnerOptions"/>.</summary>
internal sealed class CommandRunner : IProcessRunner
{
    private const string FilePlaceholder = "{file}";

    private readonly ProcessLauncher _launcher;
    private readonly LaunchPlan _plan;

    /// <summary>Makes a runner.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">What it runs.</param>
    /// <param name="launcher">What all runners share.</param>
    /// <exception cref="FormatException">Its command line is empty, or a quote is not closed.</exception>
    public CommandRunner(string name, RunnerOptions options, ProcessLauncher launcher)
    {
        Name = name;
        _launcher = launcher;
        var words = Split(options.Command);
        if (words.Count == 0)
            throw new FormatException($"Runners:{name}:Command is empty.");
        _plan = new LaunchPlan
        {
            Command = file => [.. words.Select(word => word.Replace(FilePlaceholder, file, StringComparison.Ordinal))],
            TakesFile = words.Exists(word => word.Contains(FilePlaceholder, StringComparison.Ordinal)),
            FilePrefix = options.Extension.Length == 0 ? name + "-" : "",
            FileExtension = options.Extension,
            Environment = environment => Apply(environment, options.Environment),
        };
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken) =>
        _launcher.StartAsync(_plan, request, context, cancellationToken);

    /// <summary>Splits a command line into words: at spaces, except between quotes, single or double.</summary>
    /// <exception cref="FormatException">A quote is not closed.</exception>
    internal static List<string> Split(string command)
    {
        var words = new List<string>();
        var word = new System.Text.StringBuilder();
        var inWord = false;
        char? quote = null;
        foreach (var character in command)
        {
            if (quote is null && character is ' ' or '\t')
            {
                if (inWord)
                    words.Add(word.ToString());
                word.Clear();
                inWord = false;
                continue;
            }

            inWord = true;
            if (quote == character)
                quote = null;
            else if (quote is null && character is '"' or '\'')
                quote = character;
            else
                word.Append(character);
        }

        if (quote is not null)
            throw new FormatException($"A quote is not closed in the command line: {command}");
        if (inWord)
            words.Add(word.ToString());
        return words;
    }

    private static void Apply(Dictionary<string, string> environment, IDictionary<string, string> own)
    {
        if (OperatingSystem.IsLinux())
            ProgramEnvironment.Apply(environment, own!);
    }
}
