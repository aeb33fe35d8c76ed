using System.Net;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>"furtherlink --metrics" as Prometheus sees it.</summary>
[TestFixture]
internal sealed class MetricsTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Metrics_AskedFor_TellOfProgramsServerAndRuntime()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls --metrics");
        using var http = new HttpClient { BaseAddress = host.Address };
        await using (var client = new FurtherTestClient(await WebSocketWire.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Address.Port}/run"))))
        {
            await client.StartAsync("1", "exec", "#!/bin/sh\necho hello\nexit 3");
            Assert.That((await client.RunAsync("1")).ExitCode, Is.EqualTo(3));
            await client.StartAsync("2", "no such runner");
            await client.UntilAsync("error");
            var during = await ReadUntilAsync(http, text => text.Sum("furtherlink_failures_total") == 1);
            Assert.That(during.Sum("furtherlink_clients_active", ("furtherlink_codec", "further")), Is.EqualTo(1));
        }

        var text = await ReadUntilAsync(http, text => text.Sum("furtherlink_clients_active") == 0);
        Assert.Multiple(() =>
        {
            Assert.That(text.Sum("furtherlink_sessions_started_total", ("furtherlink_runner", "exec")), Is.EqualTo(1), "the warm-up is not counted");
            Assert.That(text.Sum("furtherlink_sessions_exited_total", ("furtherlink_runner", "exec"), ("furtherlink_session_outcome", "failure")), Is.EqualTo(1));
            Assert.That(text.Sum("furtherlink_output_bytes_total", ("furtherlink_stream", "out")), Is.EqualTo(6));
            Assert.That(text.Sum("furtherlink_session_duration_seconds_bucket", ("le", "+Inf")), Is.EqualTo(1));
            Assert.That(text.Sum("furtherlink_failures_total", ("error_type", "not_found")), Is.EqualTo(1));
            Assert.That(text.Types.Keys, Has.Some.StartsWith("dotnet_").And.Some.StartsWith("kestrel_").And.Some.StartsWith("http_server_"));
        });
    }

    [Test]
    public async Task Metrics_OfAForeignPage_AreRefused()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls --metrics");
        using var http = new HttpClient { BaseAddress = host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("Origin", "https://example.org");
        using var answer = await http.SendAsync(request);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task Metrics_NotAskedFor_AreNotThere()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");
        using var http = new HttpClient { BaseAddress = host.Address };
        using var answer = await http.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    /// <summary>Reads until something is seen: what is told may be a third of a second old.</summary>
    private static async Task<PrometheusText> ReadUntilAsync(HttpClient http, Func<PrometheusText, bool> seen)
    {
        var deadline = DateTime.UtcNow + Patience.Long;
        while (true)
        {
            using var answer = await http.GetAsync(new Uri("/metrics", UriKind.Relative));
            var body = await answer.Content.ReadAsStringAsync();
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), body);
            Assert.That(answer.Content.Headers.ContentType!.ToString(), Does.StartWith("text/plain; ").And.Contains("version=0.0.4"));
            var text = PrometheusText.Parse(body);
            if (seen(text))
                return text;
            if (DateTime.UtcNow > deadline)
                Assert.Fail($"Not seen in {Patience.Long.TotalSeconds} s: {body}");
            await Task.Delay(5);
        }
    }
}
