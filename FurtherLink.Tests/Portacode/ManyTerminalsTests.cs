using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>Terminals opened and closed by the hundred leave nothing behind.</summary>
[TestFixture]
internal sealed class ManyTerminalsTests : DeviceFixture
{
    private const int AtOnce = 20;

    [Test]
    public async Task Terminals_OpenedAndClosedAThousandTimes_LeaveNothing()
    {
        var device = MakeGateway();
        var gateway = await ConnectAsync(Spelling.Current, device);
        await RoundAsync(gateway);
        var before = Descriptors();
        for (var count = AtOnce; count < 1000; count += AtOnce)
            await RoundAsync(gateway);
        var list = await gateway.AnswerAsync("terminal_list", new JsonObject { ["project_id"] = "all" }, "terminal_list");
        Assert.That(list["sessions"]!.AsArray(), Is.Empty);
        Assert.That(device.Terminals, Is.Empty);
        Assert.That(Host.Sessions.Sessions.Where(session => session.Info.Exit is null), Is.Empty);
        await Patience.UntilAsync(() => Descriptors() <= before, "as many open files as before");
    }

    /// <summary>Starts some; half of them end by themselves, half are stopped.</summary>
    private static async Task RoundAsync(GatewayClient gateway)
    {
        for (var i = 0; i < AtOnce; i++)
            await gateway.AskAsync("terminal_start", new JsonObject { ["shell"] = "/bin/cat", ["project_id"] = "p" });
        var (exited, stopped, isOdd) = (new HashSet<string>(StringComparer.Ordinal), 0, false);
        while (exited.Count < AtOnce || stopped < AtOnce / 2)
        {
            var frame = (await gateway.NextAsync())!;
            if (frame["payload"] is not JsonObject payload)
                continue;
            switch ((string?)payload["event"])
            {
                case "terminal_started" when isOdd = !isOdd:
                    await gateway.TypeAsync((string)payload["terminal_id"]!, "\u0004");
                    break;
                case "terminal_started":
                    await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = (string?)payload["terminal_id"] });
                    break;
                case "terminal_exit":
                    Assert.That(exited.Add((string)payload["terminal_id"]!), Is.True, "an end is told once");
                    break;
                case "terminal_stop_completed":
                    Assert.That((string?)payload["status"], Is.EqualTo("success"));
                    stopped++;
                    break;
                case "error":
                    Assert.Fail(payload.ToJsonString());
                    break;
            }
        }
    }

    private static int Descriptors() => Directory.EnumerateFileSystemEntries("/proc/self/fd")
        .Count(path => new FileInfo(path).LinkTarget is { } target && !target.EndsWith(".dll", StringComparison.Ordinal));
}
