using FurtherLink.Device;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class DebianPackagesTests
{
    private string _base = "";
    private DebianPackages _packages = null!;

    [SetUp]
    public void MakeFiles()
    {
        _base = Directory.CreateTempSubdirectory("fl-apt-").FullName;
        File.WriteAllText(Path.Combine(_base, "status"), """
            Package: tool
            Status: install ok installed
            Architecture: all
            Version: 1:2.3-4+b1

            Package: gone
            Status: deinstall ok config-files
            Architecture: all
            Version: 9

            Package: half
            Status: install ok half-configured
            Architecture: all
            Version: 5
            """);
        File.WriteAllText(Path.Combine(_base, "x_main_Packages"), "Package: first\nVersion: 1\n\n" + new string('#', 262_100) + "\nPackage: across\nVersion: 1\n\nPackage: last\n");
        File.WriteAllText(Path.Combine(_base, "x_InRelease"), "\nPackage: signed\n");
        _packages = new DebianPackages(Path.Combine(_base, "status"), _base);
    }

    [TearDown]
    public void RemoveFiles()
    {
        _packages.Dispose();
        Directory.Delete(_base, recursive: true);
    }

    [TestCase("tool", "1:2.3-4+b1")]
    [TestCase("half", "5")]
    [TestCase("gone", "(none)")]
    [TestCase("first", "(none)")]
    [TestCase("across", "(none)")]
    [TestCase("last", "(none)")]
    [TestCase("signed", null)]
    [TestCase("firs", null)]
    [TestCase("unknown", null)]
    public async Task FindVersion_OfAName_IsWhatTheFilesSay(string name, string? version)
    {
        Assert.That(await _packages.FindVersionAsync(name, CancellationToken.None), Is.EqualTo(version));
        Assert.That(await _packages.FindVersionAsync(name, CancellationToken.None), Is.EqualTo(version), "the second time from memory");
    }

    [TestCase("")]
    [TestCase("a")]
    [TestCase("-h")]
    [TestCase("--help")]
    [TestCase("tool first")]
    [TestCase("Tool")]
    [TestCase("tool:amd64")]
    [TestCase("tool\n")]
    [TestCase("../status")]
    public async Task FindVersion_OfWhatIsNoName_IsNull(string name)
    {
        Assert.That(DebianPackages.IsName(name), Is.False);
        Assert.That(await _packages.FindVersionAsync(name, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task FindVersion_AfterAnInstallation_IsTheNewOne()
    {
        Assert.That(await _packages.FindVersionAsync("first", CancellationToken.None), Is.EqualTo("(none)"));
        await File.AppendAllTextAsync(Path.Combine(_base, "status"), "\n\nPackage: first\nStatus: install ok installed\nVersion: 7\n");
        Assert.That(await _packages.FindVersionAsync("first", CancellationToken.None), Is.EqualTo("7"));
    }

    [Test]
    public async Task FindVersion_ListsRenewed_AreReadAgain()
    {
        Assert.That(await _packages.FindVersionAsync("unknown", CancellationToken.None), Is.Null);
        await File.WriteAllTextAsync(Path.Combine(_base, "y_Packages"), "Package: unknown\n");
        Directory.SetLastWriteTimeUtc(_base, new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.That(await _packages.FindVersionAsync("unknown", CancellationToken.None), Is.EqualTo("(none)"));
    }

    [Test]
    public async Task FindVersion_WithoutAnyFiles_IsNull()
    {
        using var nothing = new DebianPackages(Path.Combine(_base, "none"), Path.Combine(_base, "none"));
        Assert.That(await nothing.FindVersionAsync("tool", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task FindVersion_OfADebianSystemsOwn_AgreesWithDpkg()
    {
        Assume.That(File.Exists("/var/lib/dpkg/status"), "not a Debian system");
        using var own = new DebianPackages();
        Assert.That(await own.FindVersionAsync("libc6", CancellationToken.None), Is.EqualTo(Shell.Read("/", "dpkg-query -W -f '${Version}' libc6")));
    }
}
