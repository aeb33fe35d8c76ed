using FurtherLink.Processes.Leftovers;
using FurtherLink.Tests.Host;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Transfers;

/// <summary>What is staged beside a file is written down as long as it is there, so that the next start removes it after a crash.</summary>
internal sealed class StagedFileTests
{
    private TemporaryFolder _folder = null!;
    private Ledger _ledger = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _ledger = new Ledger(_folder["ledger"]);
    }

    [TearDown]
    public void TearDown()
    {
        _ledger.Dispose();
        _folder.Dispose();
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Beside_IsWrittenDownUntilItIsOver(bool install)
    {
        using var file = new DevicePaths(null).Again(_folder["file"]);
        using (var staged = StagedFile.Beside(file, _ledger))
        {
            Assert.That(Noted(), Has.Length.EqualTo(1));
            Assert.That(Noted()[0], Does.Contain(Path.GetFileName(staged.Stream.Name)));
            if (install)
                staged.Install(overwrite: true);
        }

        Assert.That(Noted(), Is.Empty);
        Assert.That(File.Exists(_folder["file"]), Is.EqualTo(install));
    }

    [Test]
    public void Beside_ThatCannotBeMade_IsNotWrittenDown()
    {
        using var file = new DevicePaths(null).Again(_folder["none/file"]);
        Assert.That(() => StagedFile.Beside(file, _ledger), Throws.InstanceOf<IOException>());
        Assert.That(Noted(), Is.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Staging_IsWrittenDownUntilItIsOver(bool confined)
    {
        using (new StagingFolder(new DevicePaths(confined ? Path.GetDirectoryName(_folder["tree"]) : null).Again(_folder["tree"]), _ledger))
        {
            Assert.That(Noted(), Has.Length.EqualTo(1));
            Assert.That(Noted()[0], Does.Contain(Directory.GetDirectories(Path.GetDirectoryName(_folder["tree"])!, ".portacode-*").Single()));
        }

        Assert.That(Noted(), Is.Empty);
    }

    [Test]
    public void Write_OfAWholeFile_LeavesNothingWrittenDown()
    {
        FileWriter.Write(new DevicePaths(null, _ledger), _folder["file"], "new");
        Assert.That(Noted(), Is.Empty);
        Assert.That(Directory.Exists(_folder["ledger"]), "it was written down for a moment");
    }

    private string[] Noted() => Directory.Exists(_folder["ledger"])
        ? [.. Directory.EnumerateFiles(_folder["ledger"], "*.json", SearchOption.AllDirectories).Select(File.ReadAllText)]
        : [];
}
