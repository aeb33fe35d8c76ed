namespace FurtherLink.Tests.Readme;

/// <summary>
/// A program of a document: a block "csharp Program.cs" with the other blocks "csharp NAME.cs" behind it under the same heading, and what the blocks
/// "console" and "exchange" there show of it, where "$ dotnet run" stands for running it.
/// </summary>
/// <param name="Main">Its Program.cs.</param>
/// <param name="Files">All of its files.</param>
/// <param name="Shown">What is shown of it, in order.</param>
internal sealed record ProgramExample(Example Main, IReadOnlyList<Example> Files, IReadOnlyList<Example> Shown)
{
    private const string MainFile = "Program.cs";

    /// <summary>Whether it is a web app.</summary>
    public bool IsWeb => Main.Lines.Any(line => line.Contains("WebApplication.", StringComparison.Ordinal));

    /// <summary>The programs of a document, and the blocks that belong to none.</summary>
    public static (IReadOnlyList<ProgramExample> Programs, IReadOnlyList<Example> Others) Of(string document) => Split(Example.Of(document));

    /// <summary>The programs among blocks, and the blocks that belong to none.</summary>
    public static (IReadOnlyList<ProgramExample> Programs, IReadOnlyList<Example> Others) Split(IEnumerable<Example> examples)
    {
        List<ProgramExample> programs = [];
        List<Example> others = [];
        foreach (var example in examples)
        {
            if (example is { Kind: "csharp", Argument: MainFile })
                programs.Add(new ProgramExample(example, [example], []));
            else if (programs is not [.., var program] || program.Main.Section != example.Section || example.Kind is not ("csharp" or "console" or "exchange"))
                others.Add(example);
            else if (example.Kind == "csharp")
                programs[^1] = program with { Files = [.. program.Files, example] };
            else
                programs[^1] = program with { Shown = [.. program.Shown, example] };
        }

        return (programs, others);
    }

    /// <summary>Writes its files into a folder.</summary>
    public void Write(string folder)
    {
        foreach (var file in Files)
        {
            Assert.That(file.Argument, Does.EndWith(".cs"), $"{file}: a block of C# says its file");
            File.WriteAllLines(Path.Combine(folder, file.Argument), file.Lines);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Main.ToString();
}
