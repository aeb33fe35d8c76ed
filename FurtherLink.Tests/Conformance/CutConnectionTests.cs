using System.Diagnostics;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>A program's output through connections that break all the time arrives once, whole and in order.</summary>
internal sealed class CutConnectionTests
{
    private TestHost _host = null!;
    private Uri _address = null!;

    [SetUp]
    public async Task SetUp()
    {
        _host = new TestHost();
        _address = await _host.ListenAsync("ws");
    }

    [TearDown]
    public ValueTask TearDown() => _host.DisposeAsync();

    [Test]
    public async Task Output_ThroughRandomCuts_HasTheSameHash([Values("keep", "pause")] string whenDetached, [Values] bool terminal)
    {
        // Kept is what a megabyte holds: one that runs on is given no chance to run away, by a client that acknowledges and comes back at once.
        var cuts = SoakSize.Of(shortForm: 150, longForm: 10_000);
        var lines = SoakSize.Of(shortForm: 1_600_000, longForm: 107_374_182);
        if (whenDetached == "keep")
            (cuts, lines) = (cuts / 10, 90_000);
        var seed = Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var random = new Random(seed);
        using var client = new DurableClient(() => _address, $"/run?extensions=ack{(terminal ? "&pty=1" : "")}") { AcknowledgeEach = 64 * 1024 };
        var since = Stopwatch.GetTimestamp();
        await client.StartAsync(new
        {
            runner = "exec",
            code = $"#!/bin/sh\nexec seq {CountedLines.First} {CountedLines.First + lines - 1}",
            session = new { whenDetached },
        });
        var ending = terminal ? "\r\n" : "\n";
        var total = CountedLines.Length(lines, ending);
        for (var i = 0; i < cuts && client.ExitCode is null; i++)
        {
            await client.ReadAsync((long)(total * ((i + random.NextDouble()) / cuts)));
            while (client.Session is null)
                await client.ReadOneAsync();
            client.Cut();
            await client.AttachAsync(client.Session, clientId: "reader");
        }

        await client.ReadAsync(total);
        // Once more when all is there but its end.
        client.Cut();
        await client.AttachAsync(client.Session!, clientId: "reader");
        await client.ReadAsync(long.MaxValue);

        Assert.Multiple(() =>
        {
            Assert.That(client.ExitCode, Is.Zero);
            Assert.That(client.Position, Is.EqualTo(total));
            Assert.That(client.Hash, Is.EqualTo(CountedLines.Hash(lines, ending)));
        });
        await TestContext.Out.WriteLineAsync(
            $"{client.Position / 1048576.0:0} MiB over {client.Connections} connections in {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s");
    }
}
