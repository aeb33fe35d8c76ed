using FurtherLink.Tests.Host;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Samples;

/// <summary>Every sample does what its README shows.</summary>
[TestFixture]
internal sealed class SampleTests
{
    private static string Folder => Path.Combine(Example.Root, "samples");

    public static IEnumerable<string> Samples => Directory.GetDirectories(Folder).Select(path => Path.GetFileName(path)!).Where(name => File.Exists(Project(name))).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Samples))]
    public async Task Sample_DoesWhatItsReadmeShows(string sample)
    {
        var shown = Example.Of($"samples/{sample}/README.md").Where(example => example.Kind is "console" or "exchange").ToList();
        Assert.That(shown, Is.Not.Empty, $"{sample} shows nothing");
        using var folder = new TemporaryFolder();
        await using var play = new ProgramPlay(new ProgramExample(shown[0], [], shown), folder.Path, Command(sample));
        await play.PlayAsync();
    }

    [Test]
    public void Samples_AreFoundByTheReadme()
    {
        var readme = File.ReadAllText(Path.Combine(Example.Root, "README.md"));
        Assert.That(Samples.Count(), Is.GreaterThan(3));
        foreach (var sample in Samples)
        {
            Assert.That(readme, Does.Contain($"samples/{sample}/README.md"));
            Assert.That(Directory.GetFiles(Path.GetDirectoryName(Project(sample))!, "*.cs").Select(Path.GetFileName), Is.EqualTo(new[] { "Program.cs" }), sample);
        }
    }

    /// <summary>How a sample is run that has been built with everything else.</summary>
    internal static IReadOnlyList<string> Command(string sample)
    {
        // .../bin/Release/net10.0/ of the tests.
        var framework = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
        var configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/'))!);
        var program = Path.Combine(Folder, sample, "bin", configuration, framework, sample + ".dll");
        Assert.That(program, Does.Exist, "the samples are built with the solution: dotnet build FurtherLink.sln -c " + configuration);
        return ["dotnet", program];
    }

    private static string Project(string name) => Path.Combine(Folder, name, name + ".csproj");
}
