using System.Formats.Tar;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Transfers;

[TestFixture]
internal sealed class FolderExtractionTests
{
    private FileRig _rig = null!;

    [SetUp]
    public void SetUp()
    {
        _rig = new FileRig();
        Directory.CreateDirectory(_rig.Resolve("target"));
    }

    [TearDown]
    public void TearDown() => _rig.Dispose();

    [TestCase("../out")]
    [TestCase("top/../../out")]
    [TestCase("top/..")]
    [TestCase("..")]
    [TestCase("/out")]
    [TestCase("//out")]
    [TestCase("./../out")]
    public async Task Extract_NameThatLeadsOut_IsRefused(string name)
    {
        var words = await RefusalAsync(Archive(new PaxTarEntry(TarEntryType.Directory, "top/"), File(name, "x")));

        Assert.That(words, Is.EqualTo($"The archive has an entry that leads out of its folder: {name}"));
        Assert.That(_rig.Names(), Has.None.Contains("out"));
    }

    [TestCase(TarEntryType.SymbolicLink)]
    [TestCase(TarEntryType.HardLink)]
    [TestCase(TarEntryType.CharacterDevice)]
    [TestCase(TarEntryType.BlockDevice)]
    [TestCase(TarEntryType.Fifo)]
    public async Task Extract_LinkOrDevice_IsRefused(TarEntryType type)
    {
        var entry = new PaxTarEntry(type, "top/x");
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            entry.LinkName = "/etc/passwd";
        var words = await RefusalAsync(Archive(new PaxTarEntry(TarEntryType.Directory, "top/"), entry, File("top/x/y", "through")));

        Assert.That(words, Is.EqualTo($"The archive holds something else than files and folders: top/x is a {type}"));
        Assert.That(_rig.Names(), Is.EqualTo(new[] { "target/", "target/top/" }));
    }

    [Test]
    public async Task Extract_TwoEntriesOfOneName_AreRefused()
    {
        Assert.That(await RefusalAsync(Archive(File("top/x", "a"), File("top/x", "b"))), Does.Contain("two entries of one name: top/x"));
    }

    [Test]
    public async Task Extract_FolderWhereAFileIs_IsRefused()
    {
        Assert.That(await RefusalAsync(Archive(File("top/x", "a"), new PaxTarEntry(TarEntryType.Directory, "top/x/"))), Does.Contain("two entries of one name"));
    }

    [Test]
    public async Task Extract_TooManyEntries_AreRefused()
    {
        var entries = Enumerable.Range(0, 30).Select(i => File($"top/{i}", "")).ToArray();

        Assert.That(await RefusalAsync(Archive(entries), maxEntries: 29), Is.EqualTo("The archive has more than 29 entries"));
    }

    [Test]
    public async Task Extract_TooManyHeadersOfNothing_AreRefused()
    {
        var entries = Enumerable.Range(0, 100).Select(i => new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" })).ToArray();

        Assert.That(await RefusalAsync(Archive(entries), maxEntries: 10), Is.EqualTo("The archive has more than 10 entries"));
    }

    [Test]
    public async Task Extract_TooManyBytes_AreRefused() =>
        Assert.That(await RefusalAsync(Archive(File("top/x", "123456"), File("top/y", "123456")), maxBytes: 11), Is.EqualTo("The archive's files have more than 11 bytes"));

    [Test]
    public async Task Extract_HeaderOfGigabytes_IsRefused()
    {
        // An extended header that claims 2 MiB: nothing legitimate is near that.
        var entry = File("top/x", "");
        var archive = Archive(new PaxTarEntry(TarEntryType.RegularFile, "top/x", new Dictionary<string, string>(StringComparer.Ordinal) { ["comment"] = new string('x', 2 << 20) }), entry);

        Assert.That(await RefusalAsync(archive), Does.Contain("header that is too large"));
    }

    [Test]
    public async Task Extract_Empty_IsRefused() => Assert.That(await RefusalAsync(new byte[1024]), Is.EqualTo("The archive is empty"));

    [Test]
    public async Task Extract_TopFolder_IsTheRoot()
    {
        var extraction = await ExtractAsync(Archive(new PaxTarEntry(TarEntryType.Directory, "top/") { Mode = UnixFileMode.UserRead }, File("top/x", "a")));

        Assert.That((extraction.Top, extraction.RootMode, extraction.Entries, extraction.Size), Is.EqualTo(("top", (UnixFileMode?)UnixFileMode.UserRead, 2, 1L)));
        Assert.That(_rig.Read("target/top/x"), Is.EqualTo("a"u8.ToArray()));
    }

    [TestCase("./", "./x")]
    [TestCase("x/", "y")]
    [TestCase("a", "b/c")]
    public async Task Extract_WithoutTopFolder_TheTargetIsTheRoot(string first, string second)
    {
        var extraction = await ExtractAsync(Archive(first.EndsWith('/') ? new PaxTarEntry(TarEntryType.Directory, first) : File(first, ""), File(second, "")));

        Assert.That(extraction.Top, Is.Null);
    }

    [Test]
    public async Task Extract_SetUserId_IsDropped()
    {
        var entry = File("top/x", "a");
        entry.Mode = UnixFileMode.SetUser | UnixFileMode.UserRead | UnixFileMode.OtherExecute;
        await ExtractAsync(Archive(entry));

        Assert.That(System.IO.File.GetUnixFileMode(_rig.Resolve("target/top/x")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.OtherExecute));
    }

    [Test]
    public async Task Extract_CutOrDamagedAnywhere_StaysInsideAndFailsInWords()
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var whole = Archive(new PaxTarEntry(TarEntryType.Directory, "top/"), File("top/" + new string('n', 150), "content"), File("top/b/c", new string('x', 1000)));
        for (var round = 0; round < 1500; round++)
        {
            var archive = round < 500 ? whole[..random.Next(whole.Length)] : [.. whole];
            if (round >= 500)
            {
                for (var i = random.Next(1, 4); i > 0; i--)
                    archive[random.Next(archive.Length)] = (byte)random.Next(256);
            }

            var target = _rig.Resolve("damaged");
            Directory.CreateDirectory(target);
            try
            {
                using var folder = Hold("damaged");
                await FolderExtraction.RunAsync(new MemoryStream(archive), folder, 10_000, 100, CancellationToken.None);
            }
            catch (Exception e) when (FileFault.Is(e))
            {
                Assert.That(e.Message, Is.Not.Empty);
            }

            Assert.That(Directory.GetFileSystemEntries(_rig.Root).Order(StringComparer.Ordinal), Is.EqualTo(new[] { target, _rig.Resolve("target") }));
            Directory.Delete(target, recursive: true);
        }
    }

    private static PaxTarEntry File(string name, string content) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)), Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite };

    private static byte[] Archive(params TarEntry[] entries)
    {
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
                writer.WriteEntry(entry);
        }

        return archive.ToArray();
    }

    private HeldFolder Hold(string name) => new DevicePaths(_rig.Root).Again(_rig.Resolve(name)).OpenFolder();

    private async Task<FolderExtraction> ExtractAsync(byte[] archive, long maxBytes = 1000, int maxEntries = 1000)
    {
        using var target = Hold("target");
        return await FolderExtraction.RunAsync(new MemoryStream(archive), target, maxBytes, maxEntries, CancellationToken.None);
    }

    private async Task<string> RefusalAsync(byte[] archive, long maxBytes = 1000, int maxEntries = 1000) =>
        (await Assert.ThrowsAsync<LinkException>(() => ExtractAsync(archive, maxBytes, maxEntries)))!.Message;
}
