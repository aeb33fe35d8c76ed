using System.Net;
using System.Net.Sockets;
using System.Text;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class UrlCacheTests : UploadFixture
{
    private TcpListener _server = null!;
    private int _requests;
    private bool _isSilent;
    private string _answer = "";
    private Task _serving = Task.CompletedTask;

    private static TimeSpan LinkPatience => TimeSpan.FromSeconds(30);

    private string Address => $"http://127.0.0.1:{((IPEndPoint)_server.LocalEndpoint).Port}/f";

    private string Cached => Path.Combine(Work, ".flcache/bucket/file");

    [SetUp]
    public void Listen()
    {
        _requests = 0;
        _isSilent = false;
        Answer("200 OK", "fetched");
        _server = new TcpListener(IPAddress.Loopback, 0);
        _server.Start();
        _serving = ServeAsync();
    }

    [TearDown]
    public async Task StopListening()
    {
        _server.Dispose();
        await _serving;
    }

    [Test]
    public async Task Upload_Url_IsFetchedOnceAndLinked()
    {
        var outcome = await UploadAsync(Tree("p", ("sub/a", Url(Address)), ("b", Url(Address))));
        Assert.That((outcome.Status, outcome.FetchedUrls, outcome.Reason), Is.EqualTo((UploadStatus.Done, true, (string?)null)));
        Assert.That(Read("p/sub/a"), Is.EqualTo("fetched"));
        Assert.That(new FileInfo(Path.Combine(Work, "p/b")).LinkTarget, Is.EqualTo(Cached));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Work, ".flcache/bucket")).Count(), Is.EqualTo(1));

        Answer("200 OK", "newer");
        await UploadAsync(Tree("q", ("a", Url(Address))));
        Assert.That(Read("q/a"), Is.EqualTo("fetched"), "what is cached is never refreshed");
        Assert.That(_requests, Is.EqualTo(1));
    }

    [Test]
    public async Task Upload_UrlInAProject_IsCopiedNotLinked()
    {
        await UploadAsync(Tree("p", ("a", Url(Address)), ("project.cfg", Text("cfg"))));
        var copy = new FileInfo(Path.Combine(Projects, "unknown/p/a"));
        Assert.That(copy.LinkTarget, Is.Null);
        Assert.That(await File.ReadAllTextAsync(copy.FullName), Is.EqualTo("fetched"));
    }

    [Test]
    public async Task Upload_ProjectWithACachedFileReplaced_CopiesPlainFilesOnly([Values("mkfifo file", "ln -s /etc/passwd file", "mkdir file")] string trick)
    {
        await UploadAsync(Tree("p", ("a", Url(Address))));
        Assert.That(Shell.Run(Path.GetDirectoryName(Cached)!, $"rm file && {trick}"), Is.Zero);
        var outcome = await UploadAsync(Tree("p", ("a", Url(Address)), ("project.cfg", Text("cfg"))));

        // A FIFO is replaced by the file fetched again; what cannot be replaced, or leads out, is refused.
        var copy = Path.Combine(Projects, "unknown/p/a");
        Assert.That(outcome.Status, Is.EqualTo(trick.StartsWith("mkfifo", StringComparison.Ordinal) ? UploadStatus.Done : UploadStatus.Failed));
        Assert.That(File.Exists(copy) ? await File.ReadAllTextAsync(copy) : "fetched", Is.EqualTo("fetched"));
    }

    [Test]
    public async Task Upload_Refused_IsOfflineAndLeavesTheFileOut()
    {
        var address = Address;
        _server.Stop();
        var outcome = await UploadAsync(Tree("p", ("a", Url(address)), ("b", Text("b")), ("project.cfg", Text("cfg"))));
        Assert.That((outcome.Status, outcome.FetchedUrls, outcome.Reason), Is.EqualTo((UploadStatus.Done, false, (string?)null)));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Work, "p")).Select(Path.GetFileName), Is.EquivalentTo(["b", "project.cfg"]));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Projects, "unknown/p")).Select(Path.GetFileName), Is.EquivalentTo(["b", "project.cfg"]));
        Assert.That(Directory.Exists(Path.Combine(Work, ".flcache")), Is.False);
    }

    [Test]
    public async Task Upload_ClosedBeforeAnyAnswer_IsOffline([Values("http", "https")] string scheme)
    {
        _answer = "";
        var outcome = await UploadAsync(Tree("p", ("a", Url(Address.Replace("http", scheme, StringComparison.Ordinal)))));
        Assert.That((outcome.Status, outcome.FetchedUrls, outcome.Reason), Is.EqualTo((UploadStatus.Done, false, (string?)null)));
    }

    [Test]
    public async Task Upload_OfflineWithTheFileCached_UsesIt()
    {
        var address = Address;
        await UploadAsync(Tree("p", ("a", Url(address))));
        _server.Stop();
        Assert.That((await UploadAsync(Tree("q", ("a", Url(address))))).FetchedUrls, Is.True);
        Assert.That(Read("q/a"), Is.EqualTo("fetched"));
    }

    [TestCase("404 Not Found")]
    [TestCase("500 Internal Server Error")]
    [TestCase("204 No Content")]
    [TestCase("302 Found")]
    public async Task Upload_ServerRefuses_FailsAndChangesNothing(string status)
    {
        await UploadAsync(Tree("p", ("old", Text("old"))));
        var before = Snapshot();
        Answer(status, "");
        var outcome = await UploadAsync(Tree("p", ("x", Text("x")), ("a", Url(Address))));
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed), outcome.Reason);
        Assert.That(outcome.Reason, Does.Contain(status[..3]));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ServerBreaksOff_FailsAndKeepsNothing()
    {
        var before = Snapshot();
        _answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
        Assert.That((await UploadAsync(Tree("p", ("a", Url(Address))))).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")]
    [TestCase("HTTP/1.1 200 OK\r\n")]
    public async Task Upload_ServerStallsAfterItsAnswerBegan_Fails(string answer)
    {
        _answer = answer;
        _isSilent = true;
        using var cache = new UrlCache(LinkPatience, TimeSpan.FromMilliseconds(200), TimeProvider.System, NullLogger.Instance);
        using var work = WorkDirectories.OpenWork(Options, UserAccount.Current);
        using var upload = Upload.Parse(Encoding.UTF8.GetBytes(Tree("p", ("a", Url(Address))).ToJsonString()));
        Assert.That(
            async () => await cache.EnsureAsync(work, upload.Files[0], CancellationToken.None),
            Throws.InstanceOf<LinkException>().With.Message.Contains("sends nothing"));
        Assert.That(Directory.EnumerateFileSystemEntries(Work), Is.Empty);
        Assert.That(_requests, Is.EqualTo(1));
    }

    [TestCase("..", "f")]
    [TestCase("../..", "f")]
    [TestCase("b", "../../x")]
    [TestCase("b", "/etc/x")]
    [TestCase("/etc", "x")]
    [TestCase("b", "")]
    [TestCase("b", ".")]
    [TestCase("b", "x/")]
    [TestCase("b\0", "x")]
    public async Task Upload_ForbiddenCachePath_FailsBeforeAnyRequest(string bucket, string file)
    {
        var before = Snapshot();
        Assert.That((await UploadAsync(Tree("p", ("a", Url(Address, bucket, file))))).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Snapshot(), Is.EqualTo(before));
        Assert.That(_requests, Is.Zero);
    }

    [Test]
    public async Task Upload_CacheThatIsALinkOut_Fails([Values(".flcache", ".flcache/bucket")] string link)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Work, link))!);
        File.CreateSymbolicLink(Path.Combine(Work, link), Path.Combine(Base, "work-evil"));
        var before = Snapshot();
        Assert.That((await UploadAsync(Tree("p", ("a", Url(Address))))).Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_FileBelowALinkedFile_FailsAndLeavesTheCachedFile()
    {
        var outcome = await UploadAsync(Tree("p", ("a", Url(Address)), ("a/b", Text("x"))));
        Assert.That(outcome.Status, Is.EqualTo(UploadStatus.Failed));
        Assert.That(await File.ReadAllTextAsync(Cached), Is.EqualTo("fetched"));
    }

    private void Answer(string status, string body) =>
        _answer = $"HTTP/1.1 {status}\r\nConnection: close\r\n{(status.StartsWith("204", StringComparison.Ordinal) ? "" : $"Content-Length: {body.Length}\r\n")}\r\n{body}";

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _server.AcceptTcpClientAsync();
                Interlocked.Increment(ref _requests);
                var stream = client.GetStream();
                var request = new byte[4096];
                _ = await stream.ReadAsync(request);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(_answer));
                // Silent until the client has given up.
                while (_isSilent && await stream.ReadAsync(request) > 0)
                    continue;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException or IOException)
        {
            // The listener was stopped.
        }
    }
}
