using System.Text;
using System.Text.Json;
using FurtherLink.Tests.Gatt.Support;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Gatt;

/// <summary>Programs that are run over Bluetooth, as old clients do it.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GattRunTests
{
    private GattRig _rig = null!;

    [TearDown]
    public async Task TearDown()
    {
        if (_rig is not null)
            await _rig.DisposeAsync();
    }

    [Test]
    public async Task Run_OfAProgram_IsToldInOrderToItsClient()
    {
        _rig = await GattRig.ServeAsync();
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", Start("me", "1", "echo hello; read line; echo got $line"));
        Assert.That((await central.NextAsync("me")).GetProperty("type").GetString(), Is.EqualTo("started"));
        Assert.That(await OutputUntilAsync(central, "me", "hello\r\n"), Is.EqualTo("hello\r\n"), "on a terminal");
        await central.SendAsync("cca", """{"type":"stdin","process":"1","client":"me","data":{"input":"you\n"}}""");
        await OutputUntilAsync(central, "me", "got you\r\n");
        Assert.That((await central.NextAsync("me", "stopped")).GetProperty("data").GetProperty("exitCode").GetInt32(), Is.Zero);
    }

    [TestCase(23)]
    [TestCase(185)]
    [TestCase(517)]
    public async Task Output_OfMuch_ComesWholeThroughALinkThatCutsAndReorders(int mtu)
    {
        _rig = await GattRig.ServeAsync(faults: faults => (faults.CutsNotifications, faults.Reorders) = (true, 7));
        var central = await _rig.ConnectAsync(mtu);
        await central.SendAsync("cca", Start("me", "1", "seq 1 500; echo end"));
        var expected = string.Concat(Enumerable.Range(1, 500).Select(static i => $"{i}\r\n")) + "end\r\n";
        // Ids count up: they tell the order in which messages were sent.
        var heard = new SortedDictionary<int, string>();
        while (heard.Values.Sum(static text => text.Length) < expected.Length)
        {
            var message = await central.Messages("me").ReadAsync().AsTask().WaitAsync(Patience.Long);
            if (message.Json.GetProperty("type").GetString() == "stdout")
                heard.Add(message.Id, message.Json.GetProperty("data").GetProperty("output").GetString()!);
        }

        Assert.That(string.Concat(heard.Values), Is.EqualTo(expected));
    }

    [TestCase(2)]
    [TestCase(10)]
    public async Task Centrals_AtOnce_EachHearTheirOwnWhole(int count)
    {
        _rig = await GattRig.ServeAsync();
        var centrals = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => _rig.ConnectAsync()));
        await Task.WhenAll(centrals.Select((central, i) => central.SendAsync("cca", Start($"c{i}", "1", $"seq {i} 100 3000; echo end"))));
        for (var i = 0; i < count; i++)
        {
            var expected = string.Concat(Enumerable.Range(0, ((3000 - i) / 100) + 1).Select(step => $"{i + (100 * step)}\r\n")) + "end\r\n";
            Assert.That(await OutputUntilAsync(centrals[i], $"c{i}", "end\r\n"), Is.EqualTo(expected));
            Assert.That((await centrals[i].NextAsync($"c{i}", "stopped")).GetProperty("process").GetString(), Is.EqualTo("1"));
        }
    }

    [Test]
    public async Task Message_WithCommasBehindTheLastMember_IsUnderstood()
    {
        _rig = await GattRig.ServeAsync();
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", """{"type":"ping","client":"me","data":{"list":[1,2,],},}""");
        Assert.That((await central.NextAsync("me")).GetProperty("type").GetString(), Is.EqualTo("pong"));
    }

    [TestCase("nonsense")]
    [TestCase("""{"type":"ping"}""")]
    [TestCase("""{"type":"ping","client":7}""")]
    [TestCase("[]")]
    public async Task Message_OfNoClient_IsRefusedAndTheNextIsTaken(string message)
    {
        _rig = await GattRig.ServeAsync();
        var central = await _rig.ConnectAsync();
        var refused = await Assert.ThrowsAsync<AttributeError>(() => central.SendAsync("cca", message));
        Assert.That(refused!.Code, Is.GreaterThanOrEqualTo(AttributeError.Unlikely));
        await central.SendAsync("cca", """{"type":"ping","client":"me"}""");
        Assert.That((await central.NextAsync("me")).GetProperty("type").GetString(), Is.EqualTo("pong"));
    }

    [Test]
    public async Task BadMessage_OfAClient_IsAnsweredByAnError()
    {
        _rig = await GattRig.ServeAsync();
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", """{"type":"stdin","process":"7","client":"me","data":{"input":"x"}}""");
        Assert.That((await central.NextAsync("me", "error")).GetProperty("data").GetProperty("detail").GetString(), Does.Contain("no process"));
    }

    [Test]
    public async Task Client_WhoseDeviceGoes_HasItsProgramsStopped()
    {
        _rig = await GattRig.ServeAsync();
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", Start("me", "1", "trap 'echo bye > bye; exit' TERM HUP; echo up; while :; do sleep 0.05; done"));
        await OutputUntilAsync(central, "me", "up\r\n");
        Assert.That(await central.ReadTextAsync("afa"), Is.EqualTo("1"));
        await central.Central.DisconnectAsync();
        var other = await _rig.ConnectAsync();
        await NoClientsAsync(other);
    }

    [Test]
    public async Task Client_ThatSaysNothing_IsForgotten()
    {
        _rig = await GattRig.ServeAsync(options => options.ClientTimeout = TimeSpan.FromSeconds(1));
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", """{"type":"ping","client":"me"}""");
        await central.NextAsync("me", "pong");
        await NoClientsAsync(central);
    }

    [Test]
    public async Task Device_WithMoreClientsThanItMayHave_IsRefusedTheNext()
    {
        _rig = await GattRig.ServeAsync(options => options.MaxClientsPerDevice = 2);
        var central = await _rig.ConnectAsync();
        foreach (var client in (string[])["a", "b"])
        {
            await central.SendAsync("cca", $$"""{"type":"ping","client":"{{client}}"}""");
            await central.NextAsync(client, "pong");
        }

        await Assert.ThrowsAsync<AttributeError>(() => central.SendAsync("cca", """{"type":"ping","client":"c"}"""));
        await central.SendAsync("cca", """{"type":"ping","client":"a"}""");
        await central.NextAsync("a", "pong");
    }

    [Test]
    public async Task Client_OfNobodyKnown_MayDoNothingButSayWhoItIs()
    {
        _rig = await GattRig.ServeAsync(options => options.LegacyOpen = false);
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", Start("me", "1", "echo no"));
        var error = await central.NextAsync("me", "error");
        Assert.That(error.GetProperty("data").GetProperty("detail").GetString(), Does.Contain("say who you are"));
    }

    [Test]
    public async Task Upload_OfAProgram_IsAnsweredAndLies()
    {
        _rig = await GattRig.ServeAsync();
        var central = new FurtherCentral(await _rig.Bluez.ConnectAsync());
        var answers = await central.ListenAsync("bba");
        await central.SendAsync("bca", """{"name":"demo","files":{"hello.py":{"type":"text","content":{"text":"print(1 + 1)"}}}}""");
        Assert.That((await central.Messages("").ReadAsync().AsTask().WaitAsync(Patience.Long)).Text, Is.EqualTo("""{"success": true, "fetched_urls": true}"""));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_rig.Work, "demo/hello.py")), Is.EqualTo("print(1 + 1)"));
        await central.SendAsync("bca", "nonsense");
        Assert.That((await central.Messages("").ReadAsync().AsTask().WaitAsync(Patience.Long)).Text, Does.StartWith("Error: "));
        await answers.DisposeAsync();
    }

    private static async Task NoClientsAsync(FurtherCentral central)
    {
        while (await central.ReadTextAsync("afa") != "0")
            await Task.Delay(10);
    }

    private static string Start(string client, string name, string command) =>
        $$$"""{"type":"start","process":"{{{name}}}","client":"{{{client}}}","data":{"runner":"program","args":["sh","-c",{{{JsonSerializer.Serialize(command)}}}]}}""";

    private static async Task<string> OutputUntilAsync(FurtherCentral central, string client, string end)
    {
        var output = new StringBuilder();
        while (!output.ToString().EndsWith(end, StringComparison.Ordinal))
            output.Append((await central.NextAsync(client, "stdout")).GetProperty("data").GetProperty("output").GetString());
        return output.ToString();
    }
}
