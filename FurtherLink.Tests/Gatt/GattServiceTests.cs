using System.Text;
using FurtherLink.Tests.Gatt.Support;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Gatt;

/// <summary>What the device shows of itself, and how it comes back.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GattServiceTests
{
    private GattRig _rig = null!;

    [TearDown]
    public async Task TearDown()
    {
        if (_rig is not null)
            await _rig.DisposeAsync();
    }

    [Test]
    public async Task Values_OfTheService_AreReadInChunks()
    {
        _rig = await GattRig.ServeAsync();
        var central = new FurtherCentral(await _rig.Bluez.ConnectAsync(mtu: 23));
        Assert.That(await central.ReadTextAsync("aba"), Is.EqualTo("OK"));
        Assert.That(await central.ReadTextAsync("aba"), Is.EqualTo("OK"), "and again");
        Assert.That(await central.ReadTextAsync("afa"), Is.EqualTo("0"));
        Assert.That(await central.ReadTextAsync("aca"), Is.EqualTo($$"""{"version": "{{FurtherLinkVersion.Current}}"}"""));
        await central.SendAsync("aab", new string('x', 3000));
    }

    [Test]
    public async Task Version_OfAPackage_IsNotifiedAndRead()
    {
        _rig = await GattRig.ServeAsync();
        var central = new FurtherCentral(await _rig.Bluez.ConnectAsync());
        await using var answers = await central.ListenAsync("ada");
        await central.SendAsync("adb", "no-such-package");
        Assert.That((await central.Messages("").ReadAsync().AsTask().WaitAsync(Patience.Long)).Text, Is.EqualTo("""{"version": null}"""));
        Assert.That(await central.ReadTextAsync("ada"), Is.EqualTo("""{"version": null}"""));
    }

    [Test]
    public async Task Information_OfTheDevice_IsWhatTheOptionsSay()
    {
        _rig = await GattRig.ServeAsync(options =>
        {
            options.Information.Manufacturer = "Ada";
            options.Information.Serial = "17";
            options.Information.SystemId = "0102030405060708";
            (options.Information.Vendor, options.Information.Product, options.Information.ProductVersion) = (0x1234, 0x5678, 0x0102);
        });
        var central = await _rig.Bluez.ConnectAsync();
        Assert.That(await TextAsync("2a29"), Is.EqualTo("Ada"));
        Assert.That(await TextAsync("2a25"), Is.EqualTo("17"));
        Assert.That(await TextAsync("2a28"), Is.EqualTo(FurtherLinkVersion.Current));
        Assert.That(await central.ReadAsync(Uuid("2a50")), Is.EqualTo(new byte[] { 1, 0x34, 0x12, 0x78, 0x56, 2, 1 }));
        Assert.That(await central.ReadAsync(Uuid("2a23")), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }));
        await Assert.ThrowsAsync<AttributeError>(() => central.ReadPieceAsync(Uuid("2a29"), 4));

        async Task<string> TextAsync(string number) => Encoding.UTF8.GetString(await central.ReadAsync(Uuid(number)));
        static string Uuid(string number) => $"0000{number}-0000-1000-8000-00805f9b34fb";
    }

    [TestCase(true, "read", "write", "write-without-response", "notify")]
    [TestCase(false, "encrypt-read", "encrypt-write", "notify", "encrypt-notify")]
    public async Task Flags_OfTheRun_AreThoseOfItsEncryption(bool isOpen, params string[] flags)
    {
        _rig = await GattRig.ServeAsync(options => options.LegacyUnencrypted = isOpen);
        var shown = (string[])[.. _rig.Bluez.Characteristic(FurtherCentral.Uuid("cba")).Flags, .. _rig.Bluez.Characteristic(FurtherCentral.Uuid("cca")).Flags];
        Assert.That(shown, Is.EquivalentTo(flags));
        Assert.That(_rig.Bluez.Advertisements[0].Text("LocalName"), Is.EqualTo("here"));
    }

    [Test]
    public async Task Bluez_ThatDoesNotKnowEncryptedNotifications_IsOfferedTheRest()
    {
        _rig = await GattRig.ServeAsync(static options => options.LegacyUnencrypted = false, static faults => faults.UnknownFlags.Add("encrypt-notify"));
        Assert.That(_rig.Bluez.Characteristic(FurtherCentral.Uuid("cba")).Flags, Is.EquivalentTo(new[] { "encrypt-read", "notify" }));
    }

    [Test]
    public async Task Pairing_WithoutAnOpenWindow_IsRefused()
    {
        _rig = await GattRig.ServeAsync(static options => options.LegacyUnencrypted = false);
        var central = await _rig.Bluez.ConnectAsync();
        Assert.That(await central.PairAsync(), Is.False);
    }

    [Test]
    public async Task Pairing_ThatIsAlwaysAllowed_OpensWhatIsEncrypted()
    {
        _rig = await GattRig.ServeAsync(static options => (options.LegacyUnencrypted, options.AlwaysPair) = (false, true));
        var central = new FurtherCentral(await _rig.Bluez.ConnectAsync());
        await Assert.ThrowsAsync<AttributeError>(() => central.ReadTextAsync("aba"));
        Assert.That(await central.Central.PairAsync(), Is.True);
        Assert.That(await central.ReadTextAsync("aba"), Is.EqualTo("OK"));
    }

    [Test]
    public async Task Adapter_ThatIsOff_IsSwitchedOnAtTheStart()
    {
        _rig = await GattRig.StartAsync(isPowered: false);
        await _rig.Bluez.ServedAsync();
        Assert.That(_rig.Bluez.IsPowered, Is.True);
    }

    [Test]
    public async Task Adapter_ThatComesLate_IsServed()
    {
        _rig = await GattRig.StartAsync(hasAdapter: false);
        await Patience.UntilAsync(() => _rig.Bluez.Agent is null, "nothing");
        _rig.Bluez.AddAdapter(isPowered: true);
        await ServesAsync();
    }

    [Test]
    public async Task Adapter_TakenAwayAndPluggedInAgain_IsServedAgain()
    {
        _rig = await GattRig.ServeAsync();
        await _rig.Bluez.RemoveAdapterAsync();
        _rig.Bluez.AddAdapter(isPowered: true);
        await ServesAsync();
    }

    [Test]
    public async Task Adapter_SwitchedOffAndOn_IsServedAgainAndNotSwitchedOnByUs()
    {
        _rig = await GattRig.ServeAsync();
        await _rig.Bluez.PowerAsync(isOn: false);
        await Patience.UntilAsync(() => _rig.Bluez.Applications.Count == 0, "nothing offered");
        Assert.That(_rig.Bluez.IsPowered, Is.False);
        await _rig.Bluez.PowerAsync(isOn: true);
        await ServesAsync();
    }

    [Test]
    public async Task Bluez_ThatIsRestarted_IsServedAgain()
    {
        _rig = await GattRig.ServeAsync();
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", """{"type":"ping","client":"me"}""");
        await central.NextAsync("me", "pong");
        await _rig.Bluez.LeaveAsync();
        await _rig.Bluez.ReturnAsync();
        await ServesAsync();
    }

    [Test]
    public async Task Objects_OfTheDevice_AreForBluezAlone()
    {
        _rig = await GattRig.ServeAsync();
        var (owner, path) = (_rig.Bluez.Applications[0].Owner, _rig.Bluez.Applications[0].Path);
        using var stranger = new Tmds.DBus.Protocol.DBusConnection(_rig.BusAddress);
        await stranger.ConnectAsync();
        var refused = await Assert.ThrowsAsync<Tmds.DBus.Protocol.DBusErrorReplyException>(() => stranger.GetManagedObjectsAsync(owner, path));
        Assert.That(refused!.ErrorName, Is.EqualTo("org.freedesktop.DBus.Error.AccessDenied"));
    }

    private async Task ServesAsync()
    {
        await _rig.Bluez.ServedAsync();
        var central = await _rig.ConnectAsync();
        await central.SendAsync("cca", """{"type":"ping","client":"again"}""");
        await central.NextAsync("again", "pong");
    }
}
