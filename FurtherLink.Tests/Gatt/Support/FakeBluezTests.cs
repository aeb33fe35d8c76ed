using System.Text;
using FurtherLink.Tests.Support;
using Tmds.DBus.Protocol;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>The fake does what tests rely on: tried with a peripheral that has nothing of the library's.</summary>
internal sealed class FakeBluezTests
{
    private PrivateBus _bus = null!;
    private FakeBluez _bluez = null!;
    private TinyPeripheral _tiny = null!;

    [SetUp]
    public async Task SetUp()
    {
        _bus = await PrivateBus.StartAsync();
        _bluez = await FakeBluez.StartAsync(_bus);
        _tiny = await TinyPeripheral.StartAsync(_bus);
    }

    [TearDown]
    public async Task TearDown()
    {
        _tiny?.Dispose();
        if (_bluez is not null)
            await _bluez.DisposeAsync();
        if (_bus is not null)
            await _bus.DisposeAsync();
    }

    [Test]
    public async Task Registration_OfAnApplicationAndAnAdvertisement_IsRecordedUntilTheirOwnerLeaves()
    {
        await _tiny.RegisterAsync();
        await _tiny.AdvertiseAsync();

        await _bluez.ServedAsync();
        Assert.Multiple(() =>
        {
            Assert.That(_bluez.Applications[0].Services, Is.EqualTo(new[] { FurtherCentral.Service }));
            Assert.That(_bluez.Advertisements[0].Text("LocalName"), Is.EqualTo("tiny"));
        });
        Assert.That(await ErrorOfAsync(_tiny.RegisterAsync), Is.EqualTo("org.bluez.Error.AlreadyExists"));
        _tiny.Dispose();
        await Patience.UntilAsync(() => _bluez.Applications.Count == 0 && _bluez.Advertisements.Count == 0, "what is registered goes with its owner");
    }

    [Test]
    public async Task LongRead_OnAShortLink_ComesInPiecesOfWhatTheLinkCarries()
    {
        _tiny.Value = [.. Enumerable.Range(0, 44).Select(static i => (byte)i)];
        await _tiny.RegisterAsync();
        var central = await _bluez.ConnectAsync(mtu: 23);

        Assert.That(await central.ReadAsync(TinyPeripheral.Uuid), Is.EqualTo(_tiny.Value));
        Assert.That(_tiny.Calls, Is.EqualTo(new[] { 0, 22, 44 }.Select(offset => $"ReadValue {central.Path} LE 23 {offset}")));
    }

    [Test]
    public async Task Write_OfMoreThanTheDaemonTakes_IsRefused()
    {
        await _tiny.RegisterAsync();
        var central = await _bluez.ConnectAsync();

        await central.WriteAsync(TinyPeripheral.Uuid, new byte[510]);
        Assert.That(_tiny.Value, Has.Length.EqualTo(510));
        Assert.That(await CodeOfAsync(() => central.WriteAsync(TinyPeripheral.Uuid, new byte[511])), Is.EqualTo(AttributeError.InvalidLength));
    }

    [Test]
    public async Task Notifications_ThroughASocket_ReachEverybodyWhoIsSubscribedUntilTheLastLeaves()
    {
        await _tiny.RegisterAsync();
        var first = await _bluez.ConnectAsync(mtu: 185);
        var second = await _bluez.ConnectAsync(mtu: 23);
        var wide = await first.SubscribeAsync(TinyPeripheral.Uuid);
        var narrow = await second.SubscribeAsync(TinyPeripheral.Uuid);

        await _tiny.NotifyAsync(new byte[100]);

        Assert.That((await NextAsync(wide)).Length, Is.EqualTo(100));
        Assert.That((await NextAsync(narrow)).Length, Is.EqualTo(20), "cut to what the link carries");
        Assert.That(_tiny.Calls, Is.EqualTo(new[] { $"AcquireNotify {first.Path} LE 185 0" }), "one socket for all");
        await first.DisconnectAsync();
        Assert.That(_bluez.Characteristic(TinyPeripheral.Uuid).IsAcquired);
        await second.UnsubscribeAsync(TinyPeripheral.Uuid);
        Assert.That(await _tiny.EndOfSocketAsync().WaitAsync(Patience.Long), Is.Zero);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Notifications_WithoutASocket_ComeBySignals(bool isFault)
    {
        using var plain = await TinyPeripheral.StartAsync(_bus, hasSockets: isFault);
        _bluez.Faults.SignalsOnly = isFault;
        await plain.RegisterAsync();
        var central = await _bluez.ConnectAsync();
        var subscription = await central.SubscribeAsync(TinyPeripheral.Uuid);

        await plain.NotifyAsync([1, 2, 3]);

        Assert.That(await NextAsync(subscription), Is.EqualTo(new byte[] { 1, 2, 3 }));
        await central.UnsubscribeAsync(TinyPeripheral.Uuid);
        Assert.That(plain.Calls, Is.EqualTo(new[] { "StartNotify", "StopNotify" }));
    }

    [Test]
    public async Task StalledLink_WithADaemonThatDrains_PilesUpInTheDaemonAndCostsNobodyElse()
    {
        await _tiny.RegisterAsync();
        var stalled = await _bluez.ConnectAsync();
        var other = await _bluez.ConnectAsync();
        var pile = await stalled.SubscribeAsync(TinyPeripheral.Uuid);
        var flow = await other.SubscribeAsync(TinyPeripheral.Uuid);
        stalled.Link.Shut();

        for (var i = 0; i < 1000; i++)
            await _tiny.NotifyAsync(new byte[500]);

        for (var i = 0; i < 1000; i++)
            await NextAsync(flow);
        Assert.Multiple(() =>
        {
            Assert.That(pile.Backlog, Is.EqualTo(1000));
            Assert.That(pile.BacklogBytes, Is.EqualTo(500_000));
        });
        stalled.Link.Open();
        for (var i = 0; i < 1000; i++)
            await NextAsync(pile);
        Assert.That(pile.BacklogBytes, Is.Zero);
    }

    [Test]
    public async Task Daemon_ThatDoesNotDrain_HoldsUpWhoeverSends()
    {
        await _tiny.RegisterAsync();
        var subscription = await (await _bluez.ConnectAsync()).SubscribeAsync(TinyPeripheral.Uuid);
        _bluez.Faults.Drains.Shut();

        var sent = _tiny.FillSocket(value: new byte[500], most: 20_000);

        Assert.That(sent, Is.LessThan(20_000), "10 MB do not fit into a socket");
        _bluez.Faults.Drains.Open();
        for (var i = 0; i < sent; i++)
            await NextAsync(subscription);
    }

    [Test]
    public async Task Faults_OfALink_CutReorderAndDouble()
    {
        var seed = TestContext.CurrentContext.Random.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        await _tiny.RegisterAsync();
        var central = await _bluez.ConnectAsync(mtu: 185);
        _bluez.Faults.CutsNotifications = true;
        _bluez.Faults.Reorders = _bluez.Faults.Duplicates = seed;
        var subscription = await central.SubscribeAsync(TinyPeripheral.Uuid);
        central.Link.Shut();
        for (var i = 0; i < 200; i++)
            await _tiny.NotifyAsync([(byte)i, .. new byte[181]]);
        await Patience.UntilAsync(() => subscription.Backlog == 200, "all are taken");
        central.Link.Open();

        var heard = new List<byte[]>();
        while (heard.Select(static value => value[0]).Distinct().Count() < 200)
            heard.Add(await NextAsync(subscription));
        var order = heard.Select(static value => (int)value[0]).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(heard.Select(static value => value.Length).Distinct(), Is.EqualTo(new[] { 180 }));
            Assert.That(order.Distinct(), Is.Not.Ordered);
            Assert.That(order, Has.Count.GreaterThan(200), "some come twice");
        });
    }

    [Test]
    public async Task Adapter_BlockedOffUnpluggedAndBack_SaysSo()
    {
        _bluez.Faults.BlocksPower = true;
        await _bluez.PowerAsync(isOn: false);
        Assert.That(await ErrorOfAsync(() => _tiny.SetAsync("Powered", true)), Is.EqualTo("org.bluez.Error.Blocked"));
        Assert.That(await ErrorOfAsync(_tiny.AdvertiseAsync), Is.EqualTo("org.bluez.Error.Failed"), "nothing is advertised by what is off");
        _bluez.Faults.BlocksPower = false;
        await _tiny.SetAsync("Powered", true);
        Assert.That(_bluez.IsPowered);

        await _tiny.RegisterAsync();
        await _tiny.AdvertiseAsync();
        await _bluez.RemoveAdapterAsync();
        Assert.That(_bluez.Applications, Is.Empty);
        Assert.That(await ErrorOfAsync(_tiny.RegisterAsync), Is.EqualTo("org.freedesktop.DBus.Error.UnknownMethod"));
        await Patience.UntilAsync(() => _tiny.Calls.Contains("Release"), "the advertisement is released");
        _bluez.AddAdapter(isPowered: true);
        await _tiny.RegisterAsync();
        Assert.That(_bluez.Applications, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Daemon_ThatLeavesAndComesBack_KnowsNobody()
    {
        await _tiny.RegisterAsync();
        var central = await _bluez.ConnectAsync();
        await central.SubscribeAsync(TinyPeripheral.Uuid);

        await _bluez.LeaveAsync();

        Assert.That(await _tiny.EndOfSocketAsync().WaitAsync(Patience.Long), Is.Zero);
        Assert.That(await ErrorOfAsync(_tiny.RegisterAsync), Does.StartWith("org.freedesktop.DBus.Error."));
        await _bluez.ReturnAsync();
        Assert.That(_bluez.Applications, Is.Empty);
        await _tiny.RegisterAsync();
        await central.ConnectAsync();
        await central.WriteAsync(TinyPeripheral.Uuid, [7]);
        Assert.That(_tiny.Value, Is.EqualTo(new byte[] { 7 }));
    }

    [TestCase("org.bluez.Error.NotPermitted")]
    [TestCase("org.bluez.Error.AlreadyExists")]
    public async Task Application_ThatIsToBeRefused_IsRefused(string error)
    {
        _bluez.Faults.RefusesApplications = error;
        Assert.That(await ErrorOfAsync(_tiny.RegisterAsync), Is.EqualTo(error));
    }

    [Test]
    public async Task Flags_ThatAnOldVersionDoesNotKnow_AreRefused()
    {
        using var encrypted = await TinyPeripheral.StartAsync(_bus, hasSockets: true, "notify", "encrypt-notify");
        _bluez.Faults.UnknownFlags.Add("encrypt-notify");
        Assert.That(await ErrorOfAsync(encrypted.RegisterAsync), Is.EqualTo("org.bluez.Error.Failed"));
        _bluez.Faults.UnknownFlags.Clear();
        await encrypted.RegisterAsync();
    }

    [TestCase("NoInputNoOutput", 13u, true)]
    [TestCase("DisplayYesNo", 12u, true)]
    [TestCase("DisplayYesNo", 13u, false)]
    public async Task Pairing_AsksTheAgentAndOpensWhatIsEncrypted(string capability, uint passkey, bool isAccepted)
    {
        using var encrypted = await TinyPeripheral.StartAsync(_bus, hasSockets: true, "encrypt-read", "encrypt-write", "notify", "encrypt-notify");
        await encrypted.RegisterAsync();
        var central = await _bluez.ConnectAsync();
        Assert.That(await central.PairAsync(passkey), Is.False, "there is no agent");
        await encrypted.RegisterAgentAsync(capability);
        Assert.That(await central.PairAsync(passkey), Is.False, "the adapter may not be paired with");
        await encrypted.SetAsync("Pairable", true);

        foreach (var use in new Func<Task>[]
        {
            () => central.ReadAsync(TinyPeripheral.Uuid), () => central.WriteAsync(TinyPeripheral.Uuid, []), () => central.SubscribeAsync(TinyPeripheral.Uuid),
        })
            Assert.That(await CodeOfAsync(use), Is.EqualTo(AttributeError.NotEncrypted));
        Assert.That(await central.PairAsync(passkey), Is.EqualTo(isAccepted));
        if (isAccepted)
            Assert.That(await central.ReadAsync(TinyPeripheral.Uuid), Is.Empty);
    }

    [Test]
    public async Task FurtherCentral_HearsWhatIsSaidToEachClientAndSendsInChunks()
    {
        await _tiny.RegisterAsync();
        var central = new FurtherCentral(await _bluez.ConnectAsync());
        await central.ListenAsync("cba");
        var text = $$"""{"type":"output","client":"b","data":"{{new string('x', 600)}}"}""";
        var chunks = SpecChunks.Cut(7, Encoding.UTF8.GetBytes(text), 100);
        foreach (var chunk in chunks.Concat(SpecChunks.Cut(8, """{"type":"started","client":"a"}"""u8.ToArray())).Reverse().Concat(chunks))
            await _tiny.NotifyAsync(chunk);

        Assert.That((await central.NextAsync("a")).GetProperty("type").GetString(), Is.EqualTo("started"));
        Assert.That((await central.NextAsync("b", "output")).GetRawText(), Is.EqualTo(text));
        Assert.That(central.Messages("b").TryRead(out _), Is.False, "once");

        await central.SendAsync("cba", new string('y', 100));
        Assert.That(await central.ReadTextAsync("cba"), Is.EqualTo(new string('y', 100)));
    }

    private static async Task<byte[]> NextAsync(Subscription subscription) => await subscription.Notifications.ReadAsync().AsTask().WaitAsync(Patience.Long);

    private static async Task<string> ErrorOfAsync(Func<Task> call) => (await Assert.ThrowsAsync<DBusErrorReplyException>(() => call()))!.ErrorName;

    private static async Task<byte> CodeOfAsync(Func<Task> call) => (await Assert.ThrowsAsync<AttributeError>(() => call()))!.Code;
}
