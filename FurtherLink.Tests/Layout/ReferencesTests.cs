using System.Text.RegularExpressions;
using System.Xml.Linq;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Layout;

/// <summary>References go in the allowed directions only, between folders and between projects.</summary>
[TestFixture]
internal sealed partial class ReferencesTests
{
    // What a folder of the core may use beside itself; the core's root may use all of them, and is used for its connection and options types.
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Messages"] = [],
        ["Codecs"] = ["Messages"],
        ["Processes"] = ["Messages"],
        ["Telemetry"] = ["Messages"],
        ["Security"] = ["Processes", "Messages"],
        ["Sessions"] = ["Processes", "Terminals", "Telemetry", "Security", "Messages"],
        ["Peers"] = ["Sessions", "Security", "Codecs", "Processes", "Telemetry", "Messages"],
        ["Holding"] = ["Sessions", "Peers", "Security", "Codecs", "Processes", "Telemetry", "Messages"],
        ["Health"] = ["Sessions", "Processes"],
        ["Recordings"] = ["Sessions", "Codecs", "Messages"],
        ["Device"] = ["Peers", "Processes", "Security", "Messages"],
        ["Terminals"] = ["Messages"],
        ["Framing"] = ["Codecs"],
        ["Client"] = ["Framing", "Codecs", "Processes", "Terminals", "Messages"],
    };

    private static readonly string[] OutsideOfCore = ["Microsoft.AspNetCore", "Google.Protobuf", "Tmds", "FurtherLink.Transports", "FurtherLink.Host"];

    public static IEnumerable<string> Folders => Directory.GetDirectories(Core).Select(path => Path.GetFileName(path)!).Where(name => name is not ("bin" or "obj"));

    private static string Core => Path.Combine(Example.Root, "FurtherLink.Core");

    [TestCaseSource(nameof(Folders))]
    public void Folder_OfCore_UsesOnlyWhatItMay(string folder)
    {
        Assert.That(Allowed, Contains.Key(folder), "a new folder says here what it may use");
        foreach (var (file, used) in Uses(Path.Combine(Core, folder)))
        {
            var allowed = Allowed[folder].Append(folder).Select(name => "FurtherLink." + name).Append("FurtherLink");
            var parts = used.Split('.');
            Assert.That(allowed, Does.Contain(string.Join('.', parts.Take(2))), $"{file} uses {used}");
        }
    }

    [Test]
    public void Core_UsesNoTransportAndNoWebServer()
    {
        foreach (var file in Sources(Core))
        {
            foreach (var name in OutsideOfCore)
                Assert.That(File.ReadAllText(file), Does.Not.Contain("using " + name), file);
        }

        Assert.That(References("FurtherLink.Core/FurtherLink.Core.csproj"), Is.All.StartsWith("Microsoft.").Or.EqualTo("BCrypt.Net-Next"));
    }

    [Test]
    public void Transports_UseTheCoreAndNoHost()
    {
        foreach (var project in Directory.GetFiles(Path.Combine(Example.Root, "FurtherLink.Transports"), "*.csproj", SearchOption.AllDirectories))
        {
            var projects = References(Path.GetRelativePath(Example.Root, project)).Where(name => name.EndsWith(".csproj", StringComparison.Ordinal)).Select(Path.GetFileName);
            Assert.That(projects, Is.SubsetOf(new[] { "FurtherLink.Core.csproj", "FurtherLink.Transports.WebSockets.csproj" }), project);
        }
    }

    [Test]
    public void Namespace_OfEveryFile_IsItsFolder()
    {
        foreach (var (folder, root) in new[] { ("FurtherLink.Core", "FurtherLink"), ("FurtherLink.Transports", "FurtherLink.Transports"), ("FurtherLink.Host", "FurtherLink.Host") })
        {
            var top = Path.Combine(Example.Root, folder);
            foreach (var file in Sources(top))
            {
                var expected = string.Join('.', Path.GetRelativePath(top, Path.GetDirectoryName(file)!).Split('/').Where(part => part != ".").Prepend(root));
                var actual = Namespaces().Match(File.ReadAllText(file)).Groups["name"].Value;
                Assert.That(actual, Is.EqualTo(expected).Or.EqualTo("Microsoft.Extensions.DependencyInjection").Or.EqualTo("Microsoft.AspNetCore.Builder"), file);
            }
        }
    }

    private static IEnumerable<string> Sources(string folder) => Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static IEnumerable<(string File, string Namespace)> Uses(string folder) => Sources(folder)
        .SelectMany(file => Usings().Matches(File.ReadAllText(file)).Select(match => (file, match.Groups["name"].Value)));

    private static List<string> References(string project) => [.. XDocument.Load(Path.Combine(Example.Root, project))
        .Descendants().Where(element => element.Name.LocalName is "PackageReference" or "ProjectReference" or "FrameworkReference")
        .Select(element => element.Attribute("Include")!.Value)];

    [GeneratedRegex(@"^using (static )?(?<name>FurtherLink[\w.]*);", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Usings();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Namespaces();
}
