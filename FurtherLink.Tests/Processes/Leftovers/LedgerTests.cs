using System.Runtime.Versioning;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes.Leftovers;

[SupportedOSPlatform("linux")]
internal sealed class LedgerTests
{
    private TemporaryFolder _folder = null!;
    private Ledger _dead = null!;
    private Ledger _next = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _dead = new Ledger(_folder["ledger"]);
        _next = new Ledger(_folder["ledger"]);
    }

    [TearDown]
    public void TearDown()
    {
        _dead.Dispose();
        _next.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Sweep_OwnerIsGone_RemovesWhatItNotedAndNothingElse()
    {
        _folder.Write("outside/kept", "");
        _dead.Note(_folder["tree"]);
        _folder.Write("tree/deep/er/file", "");
        File.CreateSymbolicLink(_folder["tree/link"], _folder["outside"]);
        _dead.Note(_folder["file"]);
        _folder.Write("file", "");
        _dead.Note(_folder["never made"]);
        _folder.Write("other", "");
        await DieAsync();
        Assert.That(Names(), Is.EqualTo(new[] { "ledger", "other", "outside", "outside/kept" }));
    }

    [Test]
    public async Task Sweep_OwnerLives_RemovesNothing()
    {
        using var note = _dead.Note(_folder["file"]);
        _folder.Write("file", "");
        Assert.That(await _next.SweepAsync(), Is.Zero);
        Assert.That(File.Exists(_folder["file"]));
    }

    [Test]
    public async Task Sweep_WhatIsCrossedOff_Stays()
    {
        _dead.Note(_folder["stays"]).Dispose();
        _folder.Write("stays", "");
        _dead.Note(_folder["goes"]);
        _folder.Write("goes", "");
        await DieAsync();
        Assert.That(Names(), Is.EqualTo(new[] { "ledger", "stays" }));
    }

    [Test]
    public async Task Sweep_LinkPutOnTheWay_IsNotFollowed()
    {
        Directory.CreateDirectory(_folder["a/b"]);
        _dead.Note(_folder["a/b/file"]);
        _folder.Write("victim/b/file", "");
        Directory.Delete(_folder["a"], recursive: true);
        Directory.CreateSymbolicLink(_folder["a"], _folder["victim"]);
        await DieAsync();
        Assert.That(File.Exists(_folder["victim/b/file"]));
    }

    [Test]
    public async Task Sweep_DirectoriesMadeAbove_GoWhereTheyAreEmpty()
    {
        Directory.CreateDirectory(_folder["one/two/three/tree"]);
        _folder.Write("one/file", "");
        _dead.Note(_folder["one/two/three/tree"], above: 3);
        await DieAsync();
        Assert.That(Names(), Is.EqualTo(new[] { "ledger", "one", "one/file" }));
    }

    [Test]
    public async Task Sweep_FileOfAChosenName_GoesOnlyWhereItIsTheOneThatWasMade()
    {
        var self = UserAccount.Current.Uid;
        _dead.NoteFile(_folder["made"], self);
        _folder.Write("made", "");
        _dead.NoteFile(_folder["anothers"], self + 1);
        _folder.Write("anothers", "");
        _dead.NoteFile(_folder["directory"], self);
        Directory.CreateDirectory(_folder["directory"]);
        using (var earlier = new Ledger(_folder["ledger"], new ManualTimeProvider()))
        {
            earlier.NoteFile(_folder["later"], self);
            _folder.Write("later", "");
        }

        await DieAsync();
        Assert.That(Names(), Is.EqualTo(new[] { "anothers", "directory", "later", "ledger" }));
    }

    [Test]
    public async Task Sweep_RecordCutShort_IsPassedOver()
    {
        _dead.Note(_folder["file"]);
        var record = Directory.GetFiles(_folder["ledger"], "*.json", SearchOption.AllDirectories).Single();
        var whole = await File.ReadAllBytesAsync(record);
        for (var length = 0; length < whole.Length; length++)
            await File.WriteAllBytesAsync(Path.Combine(Path.GetDirectoryName(record)!, $"cut{length}.json"), whole.AsMemory(0, length));
        _folder.Write("file", "");
        await DieAsync();
        Assert.That(Names(), Is.EqualTo(new[] { "ledger" }));
    }

    [Test]
    public void Note_NothingCanBeWritten_GoesOn()
    {
        using var ledger = new Ledger(Path.Combine(_folder.Write("file", ""), "ledger"));
        Assert.That(() => ledger.Note(_folder["x"]).Dispose(), Throws.Nothing);
    }

    [Test]
    public void Dispose_NothingLeft_RemovesItsDirectory()
    {
        _dead.Note(_folder["x"]).Dispose();
        Assert.That(Directory.GetDirectories(_folder["ledger"]), Has.Length.EqualTo(1));
        _dead.Dispose();
        Assert.That(Directory.GetDirectories(_folder["ledger"]), Is.Empty);
    }

    // Disposing lets go of what is noted still, as the end of a process does.
    private async Task DieAsync()
    {
        _dead.Dispose();
        await _next.SweepAsync();
        Assert.That(Directory.GetDirectories(_folder["ledger"]), Is.Empty);
    }

    private IEnumerable<string> Names() =>
        Directory.GetFileSystemEntries(_folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(path => Path.GetRelativePath(_folder.Path, path)).Order(StringComparer.Ordinal);
}
