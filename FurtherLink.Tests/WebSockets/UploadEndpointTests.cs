using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.WebSockets.Admission;

namespace FurtherLink.Tests.WebSockets;

[TestFixture]
internal sealed class UploadEndpointTests
{
    private string _work = "";
    private LinkApp _app = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _work = Directory.CreateTempSubdirectory("fl-http-").FullName;
        _app = await LinkApp.StartAsync(core: core =>
        {
            core.WorkDirectory = _work;
            core.DefaultUser = Environment.UserName;
            core.MaxUpload = 40_000_000;
        });
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_work, recursive: true);
    }

    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{"text":"x"}}}}""", 200, """{"success": true, "fetched_urls": true}""")]
    [TestCase("""{"name":"p","files":{"a":{"type":"url","content":{"url":"http://127.0.0.1:1/","bucketName":"b","fileName":"f"}}}}""", 200, """{"success": true, "fetched_urls": false}""")]
    [TestCase("", 400, "400: Bad Request")]
    [TestCase("no json", 400, "400: Bad Request")]
    [TestCase("[]", 400, "400: Bad Request")]
    [TestCase("""{"name":"p"}""", 400, "400: Bad Request")]
    [TestCase("""{"name":"../p","files":{}}""", 500, "500: Internal Server Error")]
    [TestCase("""{"name":"p","files":{"a":{"type":"text","content":{}}}}""", 500, "500: Internal Server Error")]
    public async Task Upload_Posted_IsAnsweredAsFurtherLinkDoes(string body, int status, string answer)
    {
        using var response = await PostAsync(body);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(answer));
        Assert.That(response.Content.Headers.ContentType?.ToString(), Is.EqualTo("text/plain; charset=utf-8"));
        Assert.That(response.Headers.GetValues("Access-Control-Allow-Private-Network"), Is.EqualTo(["true"]));
    }

    [TestCase("[]", 400, "object")]
    [TestCase("""{"name":"../p","files":{}}""", 500, "forbidden path")]
    public async Task Upload_RefusedForAClientOfProblemDetails_TellsTheReason(string body, int status, string reason)
    {
        using var response = await PostAsync(body, accept: "application/problem+json, */*;q=0.1");
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(response.Content.Headers.ContentType?.ToString(), Is.EqualTo("application/problem+json"));
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.That(problem["status"]!.GetValue<int>(), Is.EqualTo(status));
        Assert.That(problem["detail"]!.GetValue<string>(), Does.Contain(reason));
    }

    [Test]
    public async Task Upload_OfSize_PassesKestrelsOwnLimitAndStopsAtOurs([Values] bool chunked)
    {
        // 35 MB are over Kestrel's 30; 41 are over ours.
        using var large = await PostAsync(Large(35_000_000), chunked: chunked);
        Assert.That(large.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(new FileInfo(Path.Combine(_work, "p/a")).Length, Is.EqualTo(35_000_000));

        using var tooLarge = await PostAsync(Large(41_000_000), chunked: chunked);
        Assert.That(tooLarge.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(await tooLarge.Content.ReadAsStringAsync(), Does.StartWith("Maximum request body size 40000000 exceeded, actual body size 4"));
        Assert.That(new FileInfo(Path.Combine(_work, "p/a")).Length, Is.EqualTo(35_000_000));
    }

    [TestCase("?user=no-such-user", 500)]
    [TestCase("?user=", 500)]
    [TestCase("?other=1", 200)]
    public async Task Upload_ForAUser_IsTheirs(string query, int status)
    {
        using var response = await PostAsync("""{"name":"p","files":{}}""", query);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
    }

    [Test]
    public async Task Upload_ByAVisitorWhoMayOnlyWatch_IsRefused()
    {
        await using var app = await LinkApp.StartAsync(core: core => core.WorkDirectory = _work, authenticator: new KnownTokens());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/upload") { Content = new StringContent("""{"name":"p","files":{}}""") };
        request.Headers.Add("Authorization", "Bearer view");
        using var response = await app.Http.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(Directory.EnumerateFileSystemEntries(_work), Is.Empty);
    }

    private static string Large(int length) => """{"name":"p","files":{"a":{"type":"text","content":{"text":"x"}}}}""".Replace("x\"}", new string('x', length) + "\"}", StringComparison.Ordinal);

    private async Task<HttpResponseMessage> PostAsync(string body, string query = "", string? accept = null, bool chunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/upload" + query);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        request.Headers.TransferEncodingChunked = chunked;
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        return await _app.Http.SendAsync(request);
    }
}
