using System.Net;
using System.Text;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>Uploads that reach what is not theirs, or that fail and take the old files with them.</summary>
[TestFixture]
internal sealed class ExistingServerFaultTestsUploads : ExistingServerFaultTests
{
    private const string New = """{"type":"text","content":{"text":"new"}}""";
    private const string Project = $$$"""{"project.cfg":{{{New}}},"a":{{{New}}}}""";

    private string Outside => Path.Combine(Host.Folder, "work-evil");

    [SetUp]
    public async Task PutFiles()
    {
        // Beside the work directory, whose name begins like it; and a project that is there already.
        Directory.CreateDirectory(Outside);
        await File.WriteAllTextAsync(Path.Combine(Outside, "kept"), "outside");
        Directory.CreateDirectory(Path.Combine(Work, "p-evil"));
        await File.WriteAllTextAsync(Path.Combine(Work, "p-evil/kept"), "beside");
        Assert.That(await UploadAsync($$$"""{"name":"p","files":{"old":{{{New}}}}}"""), Is.EqualTo(HttpStatusCode.OK));
    }

    [TestCase($$$"""{"name":"../work-evil","files":{"kept":{{{New}}}}}""")]
    [TestCase($$$"""{"name":"p/../../work-evil","files":{"kept":{{{New}}}}}""")]
    [TestCase($$$"""{"name":"p","files":{"../p-evil/z":{{{New}}}}}""")]
    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}},"../p-evil/kept":{{{New}}}}}""")]
    [TestCase($$$"""{"name":"","files":{"a":{{{New}}}}}""")]
    [TestCase($$$"""{"name":".","files":{"a":{{{New}}}}}""")]
    [TestCase($$$"""{"name":"./","files":{"a":{{{New}}}}}""")]
    [TestCase($$$"""{"name":"work-evil","username":"FOLDER","files":{{{Project}}}}""")]
    [TestCase($$$"""{"name":"work-evil","username":"..","files":{{{Project}}}}""")]
    [TestCase($$$"""{"name":"work-evil","username":"..@example.org","files":{{{Project}}}}""")]
    public async Task Upload_OfAForbiddenPlace_ChangesNothing(string upload)
    {
        var before = Snapshot();
        Assert.That(await UploadAsync(upload.Replace("FOLDER", Host.Folder, StringComparison.Ordinal)), Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}},"b":{"type":"text","content":{} } } }""", HttpStatusCode.InternalServerError)]
    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}},"a/b":{{{New}}}}}""", HttpStatusCode.InternalServerError)]
    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}},"b":{"type":"url","content":{"url":"SERVER/version/none","bucketName":"b","fileName":"f"} } } }""", HttpStatusCode.InternalServerError)]
    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}},"b":{"type":"film","content":{} } } }""", HttpStatusCode.BadRequest)]
    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}},"b":null}}""", HttpStatusCode.BadRequest)]
    [TestCase($$$"""{"name":"p","files":{"a":{{{New}}}}""", HttpStatusCode.BadRequest)]
    public async Task Upload_ThatFails_LeavesTheOldFiles(string upload, HttpStatusCode status)
    {
        var before = Snapshot();
        Assert.That(await UploadAsync(upload.Replace("SERVER", (await Host.ListenAsync("http")).GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)), Is.EqualTo(status));
        Assert.That(Snapshot(), Is.EqualTo(before));
    }

    [Test]
    public async Task Upload_ThatIsBrokenOff_LeavesTheOldFiles()
    {
        var before = Snapshot();
        using var body = new BrokenBody(Encoding.UTF8.GetBytes($$$"""{"name":"p","files":{"a":{{{New}}},"b":"""));
        Assert.That(async () => await UploadAsync(body), Throws.InstanceOf<HttpRequestException>());
        await Patience.UntilAsync(() => Snapshot().SequenceEqual(before), "the folder as it was");
    }

    [Test]
    public async Task Upload_OfSeveralMegabytes_ReplacesTheOldFiles()
    {
        var text = new string('x', 3_000_000);
        Assert.That(await UploadAsync($$$"""{"name":"p","files":{"large":{{{New}}}}}""".Replace("new", text, StringComparison.Ordinal)), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Work, "p")).Select(Path.GetFileName), Is.EqualTo(["large"]));
        Assert.That(new FileInfo(Path.Combine(Work, "p/large")).Length, Is.EqualTo(text.Length));
    }

    private async Task<HttpStatusCode> UploadAsync(string upload)
    {
        using var body = new StringContent(upload);
        return await UploadAsync(body);
    }

    private async Task<HttpStatusCode> UploadAsync(HttpContent body)
    {
        using var http = new HttpClient();
        using var response = await http.PostAsync(new Uri(await Host.ListenAsync("http"), "/upload"), body).WaitAsync(LiveClient.Patience);
        return response.StatusCode;
    }

    /// <summary>All files of the host's folder with their contents.</summary>
    private string[] Snapshot() =>
    [
        .. Directory.EnumerateFileSystemEntries(Host.Folder, "*", SearchOption.AllDirectories)
            .Select(path => Directory.Exists(path) ? path : $"{path}: {File.ReadAllText(path)}")
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>A body that ends with an error behind its first part.</summary>
    private sealed class BrokenBody(byte[] start) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(start);
            await stream.FlushAsync();
            throw new HttpRequestException("broken off");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
