using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>Programs that go on while the server is killed, restarted or replaced.</summary>
internal sealed class HoldTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public async Task TearDown()
    {
        await HolderGoneAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Program_WhoseServerIsKilled_GoesOnAtTheNextByte([Values("keep", "pause")] string whenDetached)
    {
        var host = await ServeAsync();
        using var client = new DurableClient(() => Socket(host), "/run?extensions=ack") { AcknowledgeEach = 16 * 1024 };
        await client.StartAsync(new { runner = "exec", code = "#!/bin/sh\nseq 100000000 100049999; echo $$; sleep 1000", session = new { whenDetached } });
        await client.ReadAsync(300_000);
        host.Signal("KILL");
        await host.DisposeAsync();
        client.Cut();

        host = await ServeAsync();
        await client.AttachAsync(client.Session!);
        await client.ReadAsync(500_001);
        Assert.That(client.Position, Is.GreaterThan(500_000));
        await client.SendAsync(new { type = "stop", process = "1" });
        await client.ReadAsync(long.MaxValue);
        Assert.That(client.ExitCode, Is.EqualTo(-15));
        await host.DisposeAsync();
    }

    private Task<HostProcess> ServeAsync() => HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");

    private static Uri Socket(HostProcess host) => new UriBuilder(host.Address) { Scheme = "ws" }.Uri;

    private Task HolderGoneAsync() => Patience.UntilAsync(() => !File.Exists(_folder["state/furtherlink/hold.sock"]), "the holder's end");
}
