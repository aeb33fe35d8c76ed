using FurtherLink.Device;

namespace FurtherLink.Tests.Device;

/// <summary>What must hold even where an entry became a link after it was looked at.</summary>
[TestFixture]
internal sealed class FolderTests
{
    private string _base = "";
    private Folder _folder = null!;

    [SetUp]
    public void MakeLinks()
    {
        _base = Directory.CreateTempSubdirectory("fl-folder-").FullName;
        Directory.CreateDirectory(Path.Combine(_base, "outside"));
        File.WriteAllText(Path.Combine(_base, "outside/kept"), "outside");
        Directory.CreateDirectory(Path.Combine(_base, "in"));
        File.CreateSymbolicLink(Path.Combine(_base, "in/directory"), "../outside");
        File.CreateSymbolicLink(Path.Combine(_base, "in/file"), "../outside/kept");
        File.CreateSymbolicLink(Path.Combine(_base, "in/dangling"), "../outside/new");
        _folder = Folder.Open(Path.Combine(_base, "in"));
    }

    [TearDown]
    public void RemoveAll()
    {
        _folder.Dispose();
        Directory.Delete(_base, recursive: true);
    }

    [TestCase("directory")]
    [TestCase("file")]
    [TestCase("dangling")]
    public void Entry_ThatIsALink_IsNeverFollowed(string name)
    {
        Assert.That(_folder.TryOpen(name), Is.Null);
        Assert.That(() => _folder.OpenOrMake(name, null, out _), Throws.InstanceOf<IOException>());
        Assert.That(() => _folder.Create(name, null), Throws.InstanceOf<IOException>());
        Assert.That(_folder.TryRead(name), Is.Null);
        Assert.That(_folder.Look(name)?.IsLink, Is.True);

        _folder.Remove(name);
        Assert.That(_folder.Look(name), Is.Null);
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(_base, "outside")).Select(Path.GetFileName), Is.EqualTo(["kept"]));
        Assert.That(File.ReadAllText(Path.Combine(_base, "outside/kept")), Is.EqualTo("outside"));
    }

    [Test]
    public void Folder_MovedAway_StaysTheOneThatWasOpened()
    {
        Directory.Move(Path.Combine(_base, "in"), Path.Combine(_base, "moved"));
        File.CreateSymbolicLink(Path.Combine(_base, "in"), "outside");
        _folder.Create("new", null).Dispose();
        Assert.That(File.Exists(Path.Combine(_base, "moved/new")), Is.True);
        Assert.That(_folder.RealPath, Is.EqualTo(Path.Combine(_base, "moved")));
    }

    [Test]
    public void Rename_WithExchange_SwapsTheTwo()
    {
        _folder.Create("new", null).Dispose();
        Assert.That(_folder.Rename("new", "file", exchange: true), Is.True);
        Assert.That(_folder.Look("file")?.IsRegular, Is.True);
        Assert.That(_folder.Look("new")?.IsLink, Is.True);
    }
}
