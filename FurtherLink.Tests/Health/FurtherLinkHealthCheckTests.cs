using System.Net.Sockets;
using FurtherLink.Messages;
using FurtherLink.Processes.Io;
using FurtherLink.Tests.Holding;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FurtherLink.Tests.Health;

[TestFixture]
internal sealed class FurtherLinkHealthCheckTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Device_AtWork_IsHealthy()
    {
        await using var host = Make();
        await host.Sessions.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nread line" });
        var report = await CheckAsync(host);
        Assert.That((report.Status, report.Description), Is.EqualTo((HealthStatus.Healthy, (string?)null)));
    }

    [Test]
    public async Task Device_ThatShutsDown_IsUnhealthy()
    {
        await using var host = Make();
        await host.Sessions.StopAllAsync();
        var report = await CheckAsync(host);
        Assert.That((report.Status, report.Description), Is.EqualTo((HealthStatus.Unhealthy, "this device is shutting down")));
    }

    [Test]
    public async Task Failure_AsTheApplicationSays_CountsForLess()
    {
        await using var host = new TestHost(builder => builder.Services.AddHealthChecks().AddFurtherLink("programs", HealthStatus.Degraded, ["ready"]));
        await host.Sessions.StopAllAsync();
        var report = await host.Get<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("ready"));
        Assert.That(report.Entries["programs"].Status, Is.EqualTo(HealthStatus.Degraded));
    }

    [Test]
    public async Task Device_WhoseLoopHasEnded_IsUnhealthy()
    {
        await using var host = Make();
        host.Get<IoLoop>().Dispose();
        var report = await CheckAsync(host);
        Assert.That((report.Status, report.Description), Is.EqualTo((HealthStatus.Unhealthy, "the thread that serves programs has ended")));
    }

    [Test]
    public async Task Spill_ThatCannotBeWritten_IsDegradedUntilItsSessionHasGone()
    {
        _folder.Write("file", "no directory");
        await using var host = Make(configure: options =>
        {
            options.SpillCapacity = 1024 * 1024;
            options.SpillDirectory = _folder["file/output"];
        });
        var session = await host.Sessions.StartAsync(new RunRequest("fake") { Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        Assert.That((await CheckAsync(host)).Status, Is.EqualTo(HealthStatus.Healthy));
        var program = await host.Runner.NextAsync();
        await program.PrintAsync(new byte[200 * 1024]);
        await Patience.UntilAsync(() => host.Sessions.SpillTrouble is not null, "it has stopped");
        var report = await CheckAsync(host);
        Assert.That(report.Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(report.Description, Does.StartWith("output is not kept on disk: "));
        await host.Sessions.RemoveAsync(session.Id);
        Assert.That((await CheckAsync(host)).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task Holder_ThatDoesNotRun_IsHealthyAsNoneIsNeeded()
    {
        await using var host = Make(socket: _folder["holder"]);
        Assert.That((await CheckAsync(host)).Status, Is.EqualTo(HealthStatus.Healthy));
        using (var socket = Listen(_folder["holder"]))
        {
            // It is killed, and leaves its socket.
        }

        Assert.That((await CheckAsync(host)).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task Holder_ThatAnswers_IsHealthy()
    {
        await using var holder = await HolderInProcess.StartAsync();
        await using var host = holder.Connect(static builder => builder.Services.AddHealthChecks().AddFurtherLink());
        await host.Sessions.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nread line", Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        Assert.That((await CheckAsync(host)).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task Holder_ThatDoesNotAnswer_IsDegraded()
    {
        var time = new ManualTimeProvider();
        await using var host = Make(socket: _folder["holder"], time: time);
        using var socket = Listen(_folder["holder"]);
        var checking = CheckAsync(host);
        using var connection = await socket.AcceptAsync().WaitAsync(Patience.Long);
        await Patience.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(11));
                return checking.IsCompleted;
            },
            "it is given up");
        var report = await checking;
        Assert.That((report.Status, report.Description), Is.EqualTo((HealthStatus.Degraded, "the process that holds sessions does not answer")));
    }

    private static TestHost Make(string? socket = null, TimeProvider? time = null, Action<LinkOptions>? configure = null) => new(
        builder =>
        {
            builder.Services.AddHealthChecks().AddFurtherLink();
            if (socket is not null)
                builder.AddHolder(holder => holder.Socket = socket);
        },
        configure,
        time);

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static async Task<HealthReportEntry> CheckAsync(TestHost host) => (await host.Get<HealthCheckService>().CheckHealthAsync()).Entries["furtherlink"];
}
