using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Tests.Portacode;

/// <summary>What gateways may do that dial in with fewer rights than one that is dialled.</summary>
[TestFixture]
internal sealed class RightsTests : DeviceFixture
{
    [TestCase(Access.View, false, false)]
    [TestCase(Access.Drive, true, false)]
    [TestCase(Access.Own, true, true)]
    public async Task Gateway_OfSomeRights_SeesAllTerminals_AndUsesWhatItMay(Access access, bool own, bool others)
    {
        var owner = await ConnectAsync(Spelling.Current);
        var mine = await owner.StartAsync("/bin/cat");
        var foreign = (await Host.Sessions.StartAsync(new RunRequest("program") { Arguments = ["/bin/cat"], Terminal = new TerminalSize(5, 50) })).Id;
        await using var guest = new GatewayClient(
            new MemoryWire(Host.Server, frames => new LinkConnection("guest", "portacode", frames)
            {
                Principal = Rights.Grant("guest", access),
                Tag = MakeGateway(),
                Opening = Gateway.Opening,
            }),
            Spelling.Current);
        var list = await guest.UntilAsync("terminal_list");
        Assert.That(list["sessions"]!.AsArray().Select(row => (string)row!["terminal_id"]!), Is.EquivalentTo(new[] { mine, foreign }));
        foreach (var (terminal, may) in new[] { (mine, own), (foreign, others) })
        {
            await guest.TypeAsync(terminal, "x\n");
            var answer = await guest.AnyAsync("terminal_send_ack", "error");
            Assert.That((string?)answer["event"], Is.EqualTo(may ? "terminal_send_ack" : "error"), answer.ToJsonString());
            await guest.AskAsync("terminal_resize", new JsonObject { ["terminal_id"] = terminal, ["cols"] = 90, ["rows"] = 30 });
            answer = await guest.AnyAsync("terminal_resized", "error");
            Assert.That((string?)answer["event"], Is.EqualTo(may ? "terminal_resized" : "error"), answer.ToJsonString());
        }

        await guest.AskAsync("terminal_exec", new JsonObject { ["command"] = "true" });
        Assert.That((string?)(await guest.AnyAsync("terminal_exec_result", "error"))["event"], Is.EqualTo(own ? "terminal_exec_result" : "error"));
        await guest.AskAsync("file_read", new JsonObject { ["path"] = "/etc/hostname" });
        Assert.That((string?)(await guest.AnyAsync("file_read_response", "error"))["event"], Is.EqualTo(own ? "file_read_response" : "error"));
    }

    [Test]
    public async Task Requests_MoreThanAreAllowed_AreRefused_AndThenTakenAgain()
    {
        Options.MaxRequests = 2;
        var gateway = await ConnectAsync(Spelling.Current);
        for (var i = 0; i < 3; i++)
            await gateway.AskAsync("terminal_exec", new JsonObject { ["command"] = "sleep 1000", ["timeout"] = 1 });
        Assert.That((string?)(await gateway.UntilAsync("error"))["message"], Does.StartWith("2 requests are under way"));
        for (var i = 0; i < 2; i++)
            Assert.That((string?)(await gateway.UntilAsync("error"))["message"], Is.EqualTo("timed out after 1 seconds"));
        await gateway.AskAsync("terminal_exec", new JsonObject { ["command"] = "echo again" });
        Assert.That((string?)(await gateway.UntilAsync("terminal_exec_result"))["stdout"], Is.EqualTo("again\n"));
    }
}
