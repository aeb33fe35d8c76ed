namespace FurtherLink.Tests.Host;

/// <summary>A host whose files of credentials cannot be used does not start, and says why.</summary>
[TestFixture]
internal sealed class AccessFilesTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase("--passwords", "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", 0b110_000_000, "PasswordFile: ", "htpasswd -B")]
    [TestCase("--passwords", "", 0b110_110_000, "PasswordFile: ", "chmod 640")]
    [TestCase("--tokens", "[]", 0b110_100_000, "TokenFile: ", "chmod 600")]
    [TestCase("--audit", "", 0b110_000_100, "AuditFile: ", "chmod 640")]
    public async Task Serve_WithAFileThatCannotBeUsed_SaysWhyAndEnds(string option, string text, int mode, string begin, string why)
    {
        File.SetUnixFileMode(_folder.Write("file", text), (UnixFileMode)mode);
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, $"--port 0 {option} file");
        Assert.That((code, output), Is.EqualTo((2, "")), errors);
        Assert.That(errors, Does.StartWith("furtherlink: " + begin).And.Contains(why).And.Contains(_folder["file"]));
    }

    [Test]
    public async Task Serve_ThatLogsEverything_WritesNoTokenOfAnAddress()
    {
        _folder.Write("appsettings.json", """{"Logging":{"LogLevel":{"Default":"Trace","Microsoft":"Trace","Microsoft.AspNetCore.Hosting.Diagnostics":"Trace"}}}""");
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");
        using var http = new HttpClient { BaseAddress = host.Address };
        using var response = await http.GetAsync(new Uri("/run?token=s3cret", UriKind.Relative));
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
        host.Signal("TERM");
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(await host.ErrorsAsync(), Does.Contain("trce: ").And.Not.Contain("s3cret"));
    }
}
