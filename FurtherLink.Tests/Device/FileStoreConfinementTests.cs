using FurtherLink.Device;
using FurtherLink.Processes;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class FileStoreConfinementTests : UploadFixture
{
    [TestCase("")]
    [TestCase(".")]
    [TestCase("./")]
    [TestCase("/")]
    [TestCase("..")]
    [TestCase("../")]
    [TestCase("../work-evil")]
    [TestCase("../work")]
    [TestCase("p/..")]
    [TestCase("p/../..")]
    [TestCase("p/../../work-evil")]
    [TestCase("./../work-evil")]
    [TestCase("/tmp/x")]
    [TestCase("/etc")]
    [TestCase("a\0b")]
    [TestCase("\0")]
    [TestCase(".flcache")]
    [TestCase("./.flcache/")]
    [TestCase(".flcache/bucket")]
    public async Task Upload_ForbiddenName_FailsAndChangesNothing(string name)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await UploadAsync(Tree(name, ("x", Text("x"))));
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed), outcome.Reason);
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a/")]
    [TestCase("a/.")]
    [TestCase("a/b/..")]
    [TestCase("/etc/x")]
    [TestCase("../x")]
    [TestCase("../p-evil/x")]
    [TestCase("a/../../x")]
    [TestCase("a\0b")]
    public async Task Upload_ForbiddenAlias_FailsAndChangesNothing(string alias)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        await UploadAsync(Tree("p-evil", ("old", Text("old"))));
        var before = Snapshot();
        var outcome = await UploadAsync(Tree("p", (alias, Text("x"))));
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed), outcome.Reason);
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [TestCase("out", "../work-evil")]
    [TestCase("out/p", "../work-evil")]
    [TestCase("out/p/q", "../work-evil")]
    [TestCase("out", "/")]
    [TestCase("out/etc", "/")]
    [TestCase("out/evil", "..")]
    [TestCase("out/x", "p/../../work-evil")]
    [TestCase("out", "out")]
    [TestCase("out/x", "out/x")]
    [TestCase("out", ".")]
    [TestCase("out", "p/..")]
    public async Task Upload_ThroughALinkThatLeadsOut_FailsAndChangesNothing(string name, string target)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        File.CreateSymbolicLink(Path.Combine(Work, "out"), target);
        var before = Snapshot();
        var outcome = await UploadAsync(Tree(name, ("x", Text("x"))));
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed), outcome.Reason);
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ThroughALinkThatStaysInside_GoesWhereItLeads([Values("real", "./real/../real", "ABSOLUTE")] string target)
    {
        Directory.CreateDirectory(Path.Combine(Work, "real"));
        File.CreateSymbolicLink(Path.Combine(Work, "in"), target == "ABSOLUTE" ? Path.Combine(Work, "real") : target);
        Assert.That((await UploadAsync(Tree("in/p", ("x", Text("x"))))).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That((await UploadAsync(Tree("in", ("y", Text("y"))))).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Read("real/y"), Is.EqualTo("y"));
        Assert.That(File.Exists(Path.Combine(Work, "real/p/x")), Is.False, "the second upload replaced the directory of the first");
        Assert.That(new FileInfo(Path.Combine(Work, "in")).LinkTarget, Is.Not.Null);
    }

    [Test]
    public async Task Upload_WhileEntriesAreSwappedForLinksOut_NeverLeavesTheWorkDirectory()
    {
        var evil = Path.Combine(Base, "work-evil");
        Directory.CreateDirectory(Path.Combine(Work, "p"));
        using var done = new CancellationTokenSource();
        var swaps = 0;
        var swapping = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
                swaps += TrySwap(evil) ? 1 : 0;
        });
        var uploads = 0;
        while (uploads < 300 || Volatile.Read(ref swaps) < 300)
        {
            Assert.That(swapping.IsFaulted, Is.False);
            await UploadAsync(Tree("p/new", ("x", Text("x"))));
            uploads++;
        }
        await done.CancelAsync();
        await swapping;
        Assert.That(Directory.EnumerateFileSystemEntries(evil), Is.EqualTo([Path.Combine(evil, "kept")]));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(evil, "kept")), Is.EqualTo("outside"));
    }

    [Test]
    public async Task Upload_OverADirectoryWithLinksOut_RemovesTheLinksOnly()
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        File.CreateSymbolicLink(Path.Combine(Work, "p/evil"), Path.Combine(Base, "work-evil"));
        Assert.That((await UploadAsync(Tree("p", ("evil/kept", Text("x"))))).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(File.ReadAllText(Path.Combine(Base, "work-evil/kept")), Is.EqualTo("outside"));
        Assert.That(Read("p/evil/kept"), Is.EqualTo("x"));
    }

    [Test]
    public async Task Upload_ForAnotherUser_GivesFilesAndInTheirHomeDirectoriesToThem([Values] bool inHome)
    {
        Assume.That(Environment.UserName, Is.EqualTo("root"), "only root may give files away");
        var daemon = UserAccount.TryFind("daemon")!;
        // The home of a system user is no place to test in; the work directory decides, so it is put in one.
        var home = inHome ? Base : "/nonexistent";
        using var store = new FileStore(new OptionsWrapper<LinkOptions>(Options), null, null, _ => daemon with { Home = home });
        Directory.Delete(Work);
        var json = System.Text.Encoding.UTF8.GetBytes(Tree("a/p", ("sub/x", Text("x")), ("project.cfg", Text(""))).ToJsonString());
        var outcome = await store.UploadAsync(json, "daemon", CancellationToken.None);

        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Done), outcome.Reason);
        Assert.That(Shell.Read(Work, "stat -c %U a/p/sub/x ../projects/unknown/a/p/sub/x . ../projects"), Is.EqualTo("daemon\ndaemon\ndaemon\ndaemon"));
        var directories = Shell.Read(Work, "stat -c %U a a/p a/p/sub ../projects/unknown ../projects/unknown/a/p").Split('\n');
        Assert.That(directories, Has.All.EqualTo(inHome ? "daemon" : "root"));
        Assert.That(Shell.Read(Work, "umask 022; stat -c %a a/p/sub/x a/p"), Is.EqualTo("644\n755"));
    }

    [Test]
    public async Task Upload_ToTheHome_MakesFurtherThereAndFollowsTheUsersOwnLink()
    {
        Options.WorkDirectory = null;
        var self = UserAccount.TryFind(Environment.UserName)! with { Home = Base };
        using var store = new FileStore(new OptionsWrapper<LinkOptions>(Options), null, null, _ => self);
        var json = System.Text.Encoding.UTF8.GetBytes(Tree("p", ("x", Text("x"))).ToJsonString());

        Assert.That((await store.UploadAsync(json, null, CancellationToken.None)).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(File.Exists(Path.Combine(Base, "further/p/x")), Is.True);
        Directory.Delete(Path.Combine(Base, "further"), recursive: true);
        File.CreateSymbolicLink(Path.Combine(Base, "further"), Work);
        Assert.That((await store.UploadAsync(json, null, CancellationToken.None)).Status, Is.EqualTo(UploadStatus.Done));
        Assert.That(Read("p/x"), Is.EqualTo("x"));
    }

    [Test]
    public async Task Upload_ToAHomeWhoseFurtherIsALinkToAnothersDirectory_Fails()
    {
        Assume.That(Environment.UserName, Is.EqualTo("root"), "only root may give files away");
        Options.WorkDirectory = null;
        File.CreateSymbolicLink(Path.Combine(Base, "further"), Work);
        var daemon = UserAccount.TryFind("daemon")! with { Home = Base };
        using var store = new FileStore(new OptionsWrapper<LinkOptions>(Options), null, null, _ => daemon);
        var json = System.Text.Encoding.UTF8.GetBytes(Tree("p", ("x", Text("x"))).ToJsonString());
        Assert.That((await store.UploadAsync(json, null, CancellationToken.None)).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Directory.EnumerateFileSystemEntries(Work), Is.Empty);
    }

    /// <summary>What an attacker who owns the work directory does: the directory that was looked at is a link when it is used.</summary>
    /// <returns>False where an upload came between.</returns>
    private bool TrySwap(string target)
    {
        var (real, link, aside) = (Path.Combine(Work, "p"), Path.Combine(Work, "link"), Path.Combine(Work, "aside"));
        try
        {
            // What the last time left where an upload came between.
            if (new FileInfo(real).LinkTarget is not null)
                File.Delete(real);
            if (Directory.Exists(aside) && Directory.Exists(real))
                Directory.Delete(aside, recursive: true);
            else if (Directory.Exists(aside))
                Directory.Move(aside, real);
            if (new FileInfo(link).LinkTarget is null)
                File.CreateSymbolicLink(link, target);

            Directory.CreateDirectory(real);
            Directory.Move(real, aside);
            Directory.Move(link, real);
            File.Delete(real);
            Directory.Move(aside, real);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
