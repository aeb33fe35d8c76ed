using System.Globalization;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>What the server's garbage collector has of a piece of output, and of a key: counted by itself, over real programs and a real connection.</summary>
internal sealed class AllocationTests
{
    // An object takes 24 bytes at least. What the answers with the counts and the runtime itself take is far less than one for each.
    private const double Nothing = 12;
    private const int Pieces = 40_000;
    private const int Keys = 60_000;

    private TemporaryFolder _folder = null!;
    private HostProcess _host = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public async Task TearDown()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Output_OfATerminal_AllocatesNothingPerPiece()
    {
        using var socket = await StartAsync("exec yes", terminal: "1", kept: 131072);
        Take(socket, Pieces / 5);
        Assert.That(await AllocatedByAsync(() => Take(socket, Pieces)) / Pieces, Is.LessThan(Nothing), "bytes per piece of output");
    }

    [Test]
    public async Task Output_InLongPieces_AllocatesOnlyWhatTheSocketDoes()
    {
        // The runtime sends a piece of 64 KiB out of 17 blocks, and makes an array for more than 8.
        const double OfTheSocket = 17 * (16 + 8) + 48;
        using var socket = await StartAsync("exec yes", terminal: "0", kept: 131072);
        Take(socket, Pieces / 5);
        Assert.That(await AllocatedByAsync(() => Take(socket, Pieces)) / Pieces, Is.LessThan(OfTheSocket + Nothing), "bytes per piece of output");
    }

    [Test]
    public async Task Key_AndItsEcho_AllocateNothing([Values("1", "0")] string terminal)
    {
        using var socket = await StartAsync("exec cat", terminal, kept: 8192);
        Type(socket, Keys / 5);
        Assert.That(await AllocatedByAsync(() => Type(socket, Keys)) / Keys, Is.LessThan(Nothing), "bytes per key and its echo");
    }

    /// <summary>Starts a server and a program.</summary>
    /// <param name="command">The program.</param>
    /// <param name="terminal">Whether on a terminal.</param>
    /// <param name="kept">How much is kept of its output, in bytes: what the warm-up fills, for its memory is used again from then on.</param>
    private async Task<RawWebSocket> StartAsync(string command, string terminal, int kept)
    {
        _host = await HostProcess.ServeAsync(
            _folder.Path, "--port 0 --no-tls --metrics", new Dictionary<string, string?> { ["FurtherLink__OutputCapacity"] = kept.ToString(CultureInfo.InvariantCulture) });
        var socket = new RawWebSocket(_host.Address.Port, "/run?pty=" + terminal);
        socket.Send($$$"""{"type":"start","process":"1","data":{"runner":"exec","code":"#!/bin/sh\n{{{command}}}"}}""");
        while (!socket.Receive().StartsWith("{\"type\": \"started\""u8))
            continue;
        return socket;
    }

    private static void Take(RawWebSocket socket, int pieces)
    {
        for (; pieces > 0; pieces--)
            Assert.That(socket.Receive().IsEmpty, Is.False, "the connection goes on");
    }

    /// <summary>Types lines of one character, each when the one before has come back.</summary>
    private static void Type(RawWebSocket socket, int lines)
    {
        for (; lines > 0; lines--)
        {
            socket.Send("""{"type":"stdin","process":"1","data":{"input":"x\n"}}""");
            while (!Ends(socket.Receive()))
                continue;
        }
    }

    // A terminal gives the line back as it is typed, and cat once more; each may come in pieces.
    private static bool Ends(ReadOnlySpan<byte> message) => message.IndexOf("\\n\""u8) >= 0;

    /// <summary>What the server allocates meanwhile, without what an answer with the count takes.</summary>
    private async Task<double> AllocatedByAsync(Action action)
    {
        using var http = new HttpClient { BaseAddress = _host.Address };
        await AllocatedAsync(http);
        var first = await AllocatedAsync(http);
        var second = await AllocatedAsync(http);
        action();
        return await AllocatedAsync(http) - second - (second - first);
    }

    private static async Task<double> AllocatedAsync(HttpClient http) =>
        PrometheusText.Parse(await http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Sum("dotnet_gc_heap_total_allocated_bytes_total");
}
