using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Tests.Portacode;

/// <summary>The protocol over real WebSockets, and over a real cut.</summary>
[TestFixture]
internal sealed class SocketTests : DeviceFixture
{
    private TemporaryFolder _folder = null!;
    private DeviceIdentity _identity = null!;

    [OneTimeSetUp]
    public void MakeIdentity()
    {
        _folder = new TemporaryFolder();
        _identity = DeviceIdentity.Open(_folder["keys"]);
    }

    [OneTimeTearDown]
    public void DropIdentity()
    {
        _identity.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Device_ThatDials_ProvesItsKeyAndServes([Values] Spelling spelling)
    {
        await using var listener = await DialledGateway.StartAsync(spelling);
        var serving = SocketDevice.DialAsync(Host.Server, _identity, MakeGateway(), listener.Address);
        var gateway = await listener.NextAsync();
        Assert.That(listener.Key, Is.EqualTo(_identity.PublicKeyText));
        await gateway.UntilAsync("request_client_sessions");
        await gateway.UntilAsync("terminal_list");
        var id = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(id, "hällo\n");
        await gateway.OutputUntilAsync(id, "hällo\r\nhällo\r\n");
        await gateway.Wire.CutAsync();
        await serving.WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Output_OverACut_IsReceivedInOrderAndTheRestIsFetched([Values] Spelling spelling)
    {
        await using var listener = await DialledGateway.StartAsync(spelling);
        var device = MakeGateway();
        var serving = SocketDevice.DialAsync(Host.Server, _identity, device, listener.Address);
        var gateway = await listener.NextAsync();
        await gateway.AnswerAsync(
            "session_subscribe", new JsonObject { ["client_channel"] = "A", ["action"] = "connect", ["filters"] = new JsonArray(new JsonObject()) }, "session_subscribe_ack");
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo -onlcr; PS1=; seq 1 100000; echo en''d; cat\n");
        var seen = await gateway.OutputUntilAsync(id, "\n50\n");
        await gateway.Wire.CutAsync();
        await serving.WaitAsync(Patience.Long);
        serving = SocketDevice.DialAsync(Host.Server, _identity, device, listener.Address);
        gateway = await listener.NextAsync();
        await Patience.UntilAsync(() => Host.Sessions.Find(id)!.Output.End > 588_895, "all of the output");
        await gateway.TypeAsync(id, "last\n");
        await gateway.UntilAsync("terminal_data", data => ((string)data["data"]!).EndsWith("last\n", StringComparison.Ordinal));
        await gateway.AskAsync("terminal_replay", new JsonObject { ["terminal_id"] = id, ["from"] = Encoding.UTF8.GetByteCount(seen) });
        var next = (long)Encoding.UTF8.GetByteCount(seen);
        bool more;
        do
        {
            var data = await gateway.UntilAsync("terminal_data");
            Assert.That(((long)data["offset"]!, (bool)data["replay"]!), Is.EqualTo((next, true)));
            seen += (string)data["data"]!;
            next = (long)data["next_offset"]!;
            more = (bool)data["has_more"]!;
        }
        while (more);
        var expected = string.Concat(Enumerable.Range(1, 100_000).Select(static number => $"{number}\n")) + "end\nlast\n";
        Assert.That(seen, Does.EndWith(expected));
        await gateway.Wire.CutAsync();
        await serving.WaitAsync(Patience.Long);
    }
}
