using FurtherLink.Tests.Host;

namespace FurtherLink.Tests.Browser;

/// <summary>What pages that may use the device do in a real browser.</summary>
[TestFixture]
internal sealed class WelcomePageTests
{
    private TemporaryFolder _folder = null!;
    private HostProcess _device = null!;
    private HostileSite _site = null!;
    private Chromium _browser = null!;
    private BrowserPage _page = null!;
    private string _token = "";

    [OneTimeSetUp]
    public async Task OneTimeSetUpAsync()
    {
        _folder = new TemporaryFolder();
        _site = await HostileSite.StartAsync();
        _device = await HostProcess.ServeAsync(
            _folder.Path, $"--port 0 --trusted-origin http://trusted.example:{_site.Port} --allowed-origin http://allowed.example:{_site.Port} --state-dir {_folder["state"]}");
        _token = (await HostProcess.RunAsync(_folder.Path, $"token add person --role own --state-dir {_folder["state"]}")).Output.Trim();
        _browser = await Chromium.StartAsync("MAP *.example 127.0.0.1");
    }

    [OneTimeTearDown]
    public async Task OneTimeTearDownAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_site is not null)
            await _site.DisposeAsync();
        if (_device is not null)
            await _device.DisposeAsync();
        _folder.Dispose();
    }

    [SetUp]
    public async Task SetUp()
    {
        await _browser.AskAsync("Storage.clearCookies", null);
        _page = await _browser.OpenAsync("about:blank");
    }

    [TearDown]
    public async Task TearDown() => await _page.DisposeAsync();

    [Test]
    public async Task TrustedPage_OnLoopback_NeedsNoToken()
    {
        await _page.GoAsync($"http://trusted.example:{_site.Port}/");
        Assert.That(await RunAsync(null), Is.EqualTo("hello"));
    }

    [Test]
    public async Task AllowedPage_WithAToken_RunsPrograms_AndWithoutOneNone()
    {
        await _page.GoAsync($"http://allowed.example:{_site.Port}/");
        Assert.That(await RunAsync(_token), Is.EqualTo("hello"));
        Assert.That(await RunAsync(null), Does.Contain("say who you are"));
        Assert.That(await _page.RunAsync($"return (await fetch('{Device("https")}/status')).status"), Is.EqualTo("200"));
    }

    [Test]
    public async Task OwnPage_ThatHasLoggedIn_RunsProgramsUntilItLogsOut()
    {
        await _page.GoAsync(Device("https") + "/status");
        Assert.That(await RunAsync(null), Does.Contain("say who you are"));
        Assert.That(await _page.RunAsync(Login("fl_wrong")), Is.EqualTo("401"));
        Assert.That(await _page.RunAsync(Login(_token)), Is.EqualTo("200"));
        Assert.That(await _page.RunAsync("return document.cookie"), Is.Empty, "scripts do not see it");
        Assert.That(await RunAsync(null), Is.EqualTo("hello"));
        Assert.That(await _page.RunAsync("return (await fetch('/logout', {method: 'POST'})).status"), Is.EqualTo("204"));
        Assert.That(await RunAsync(null), Does.Contain("say who you are"));
    }

    [Test]
    public async Task Cookie_OfAPerson_IsNotSentForAForeignPage()
    {
        await _page.GoAsync(Device("https") + "/status");
        Assert.That(await _page.RunAsync(Login(_token)), Is.EqualTo("200"));
        await _page.GoAsync($"http://evil.example:{_site.Port}/");
        Assert.That(await RunAsync(null), Is.EqualTo("closed"));
        Assert.That(await _page.RunAsync($"return (await fetch('{Device("https")}/recordings/x', {{credentials: 'include'}})).status"), Does.StartWith("threw TypeError"));
    }

    private static string Login(string token) =>
        $$"""return (await fetch('/login', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({token: '{{token}}'})})).status""";

    private string Device(string scheme) => $"{scheme}://127.0.0.1:{_device.Address.Port}";

    private Task<string> RunAsync(string? token) => _page.RunAsync(
        $$$"""
        return await new Promise(resolve => {
          const socket = new WebSocket('{{{Device("wss")}}}/run', {{{(token is null ? "[]" : $"['furtherlink', 'furtherlink.token.{token}']")}}});
          let output = '';
          socket.onopen = () => socket.send(JSON.stringify({type: 'start', process: '1', data: {runner: 'exec', code: '#!/bin/sh\nprintf hello'}}));
          socket.onmessage = message => {
            const {type, data} = JSON.parse(message.data);
            if (type === 'stdout') output += data.output;
            if (type === 'error') resolve(data.detail);
            if (type === 'stopped') resolve(output);
          };
          socket.onclose = () => resolve('closed');
        });
        """);
}
