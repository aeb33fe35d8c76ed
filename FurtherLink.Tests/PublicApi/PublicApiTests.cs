using System.Reflection;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.PublicApi;

/// <summary>
/// What each package shows to who refers to it is what PublicApi/PACKAGE.txt says, so that a change is seen, and meant. To accept one, run these
/// tests with FURTHERLINK_ACCEPT_API=1, which writes the files, and commit them.
/// </summary>
[TestFixture]
internal sealed class PublicApiTests
{
    private const string Accept = "FURTHERLINK_ACCEPT_API";

    private static readonly string Folder = Path.Combine(Example.Root, "FurtherLink.Tests", "PublicApi");

    // Whatever lies under a Directory.Build.props that imports Library.props is a package.
    public static IEnumerable<string> Packages => Directory.GetDirectories(Example.Root)
        .Where(folder => Path.Combine(folder, "Directory.Build.props") is var props && File.Exists(props) && File.ReadAllText(props).Contains("Library.props", StringComparison.Ordinal))
        .SelectMany(folder => Directory.GetFiles(folder, "*.csproj", SearchOption.AllDirectories))
        .Select(project => Path.GetFileNameWithoutExtension(project)).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Packages))]
    public void Api_OfPackage_IsAsWrittenDown(string package)
    {
        Assert.That(Path.Combine(AppContext.BaseDirectory, package + ".dll"), Does.Exist, $"FurtherLink.Tests.csproj has no reference to {package}");
        var actual = ApiPrinter.Print(Assembly.Load(package)).ToList();
        var file = Path.Combine(Folder, package + ".txt");
        if (Environment.GetEnvironmentVariable(Accept) is { Length: > 0 })
            File.WriteAllLines(file, actual);
        var expected = File.Exists(file) ? File.ReadAllLines(file) : [];
        var difference = expected.Except(actual, StringComparer.Ordinal).Select(line => "- " + line)
            .Concat(actual.Except(expected, StringComparer.Ordinal).Select(line => "+ " + line)).ToList();
        Assert.That(difference, Is.Empty, $"{package} shows something else than PublicApi/{package}.txt says. Where that is meant: {Accept}=1 bash extra/test.sh --filter PublicApi\n{string.Join('\n', difference)}");
        Assert.That(actual, Is.EqualTo(expected), $"The lines of PublicApi/{package}.txt are in another order. {Accept}=1 writes them anew.");
    }

    [Test]
    public void Files_AreThoseOfThePackages() =>
        Assert.That(Directory.GetFiles(Folder, "*.txt").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal), Is.EqualTo(Packages));
}
