using FurtherLink.Tests.Host;

namespace FurtherLink.Tests.Browser;

/// <summary>
/// What a web page can do that a person visits in a real browser: with the defaults nothing at all, and with LegacyOpen all of it, so that these attacks
/// are known to bite. An attack has succeeded where it has had an effect on the device, or has read something of it.
/// </summary>
/// <param name="isOpen">Whether LegacyOpen is on.</param>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class HostilePageTests(bool isOpen)
{
    private const string Rebound = "rebound.example";

    private TemporaryFolder _folder = null!;
    private HostProcess _plain = null!;
    private HostProcess _secure = null!;
    private HostileSite _site = null!;
    private Chromium _browser = null!;
    private BrowserPage _page = null!;
    private string _token = "";

    [OneTimeSetUp]
    public async Task OneTimeSetUpAsync()
    {
        _folder = new TemporaryFolder();
        var work = _folder["further"];
        var options = $"--port 0 --work-dir {work}" + (isOpen ? " --legacy-open" : "");
        _plain = await HostProcess.ServeAsync(_folder.Path, $"{options} --no-tls --state-dir {_folder["plain"]}");
        _secure = await HostProcess.ServeAsync(_folder.Path, $"{options} --state-dir {_folder["secure"]}");
        _token = (await HostProcess.RunAsync(_folder.Path, $"token add person --role own --state-dir {_folder["plain"]}")).Output.Trim();
        _site = await HostileSite.StartAsync();
        _browser = await Chromium.StartAsync($"MAP *.example 127.0.0.1, MAP {Rebound} 127.0.0.1");
    }

    [OneTimeTearDown]
    public async Task OneTimeTearDownAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_site is not null)
            await _site.DisposeAsync();
        if (_plain is not null)
            await _plain.DisposeAsync();
        if (_secure is not null)
            await _secure.DisposeAsync();
        _folder.Dispose();
    }

    [SetUp]
    public async Task SetUp() => _page = await _browser.OpenAsync($"http://evil.example:{_site.Port}/");

    [TearDown]
    public async Task TearDown() => await _page.DisposeAsync();

    [TestCase("127.0.0.1")]
    [TestCase("localhost")]
    [TestCase("0.0.0.0")]
    public Task WebSocket_OfAForeignPage(string host) => ExpectFileAsync(file => _page.RunAsync(Socket($"ws://{host}:{_plain.Address.Port}/run", file)));

    [Test]
    public Task WebSocket_OfAForeignPage_OverTls() => ExpectFileAsync(file => _page.RunAsync(Socket($"wss://127.0.0.1:{_secure.Address.Port}/run", file)));

    [Test]
    public Task WebSocket_OfAForeignPage_OverHttp2() => ExpectFileAsync(async file =>
    {
        // The browser opens a WebSocket within a connection of HTTP/2 that it has to the same server (RFC 8441).
        var host = $"127.0.0.1:{_secure.Address.Port}";
        Assert.That(await _page.RunAsync($"await fetch('https://{host}/status', {{mode: 'no-cors'}}); return performance.getEntriesByType('resource').length > 0"), Is.EqualTo("true").IgnoreCase);
        return await _page.RunAsync(Socket($"wss://{host}/run", file));
    });

    [Test]
    public Task WebSocket_OfAForeignPage_WithAPtyAndAUser() =>
        ExpectFileAsync(file => _page.RunAsync(Socket($"ws://127.0.0.1:{_plain.Address.Port}/run?pty=1&client=x", file)));

    [TestCase("?token=")]
    [TestCase("?access_token=")]
    public Task WebSocket_WithATokenInItsAddress(string query) => ExpectFileAsync(async file =>
    {
        // Even one that counts, and from a page under the device's own name.
        await _page.GoAsync($"http://127.0.0.1:{_plain.Address.Port}/status");
        return await _page.RunAsync(Socket($"ws://127.0.0.1:{_plain.Address.Port}/run{query}{_token}", file));
    });

    [Test]
    public async Task WebSocket_WithAGuessedToken()
    {
        // What is shown and counts for nothing lets nobody in, whatever else is open.
        var file = _folder["guessed"];
        var words = await _page.RunAsync(Socket($"ws://127.0.0.1:{_plain.Address.Port}/run", file, "furtherlink.token.fl_guess"));
        Assert.That(File.Exists(file), Is.False, words);
    }

    [TestCase("frame.sandbox = 'allow-scripts'; frame.srcdoc = page;")]
    [TestCase("frame.src = 'data:text/html,' + encodeURIComponent(page);")]
    public Task WebSocket_OfAPageWithoutAnOrigin(string load) => ExpectFileAsync(file =>
    {
        var attack = Quote($"(async () => {{ {Socket($"ws://127.0.0.1:{_plain.Address.Port}/run", file)} }})().then(words => parent.postMessage(words, '*'))");
        return _page.RunAsync(
            $$"""
            return await new Promise(resolve => {
              addEventListener('message', message => resolve(message.data));
              const frame = document.createElement('iframe');
              const page = '<script>' + {{attack}} + '</' + 'script>';
              {{load}}
              document.body.append(frame);
            });
            """);
    });

    [Test]
    public Task WebSocket_UnderAReboundName() => ExpectFileAsync(async file =>
    {
        // After a name of the page's own site leads to the device, the page and the device are of one origin for the browser.
        await _page.GoAsync($"http://{Rebound}:{_plain.Address.Port}/status");
        return await _page.RunAsync(Socket($"ws://{Rebound}:{_plain.Address.Port}/run", file));
    });

    [Test]
    public Task Upload_UnderAReboundName() => ExpectDirectoryAsync(async name =>
    {
        await _page.GoAsync($"http://{Rebound}:{_plain.Address.Port}/status");
        return await _page.RunAsync(Fetch("/upload", Upload(name), "application/json", "same-origin", $"http://{Rebound}:{_plain.Address.Port}"));
    });

    [TestCase("cors", "application/json")]
    [TestCase("cors", "text/plain")]
    [TestCase("no-cors", "text/plain")]
    public Task Upload_OfAForeignPage(string mode, string type) => ExpectDirectoryAsync(name => _page.RunAsync(Fetch("/upload", Upload(name), type, mode)));

    [Test]
    public Task Upload_ByAForm() => ExpectDirectoryAsync(async name =>
    {
        // A form of plain text sends NAME=VALUE: the "=" stands in a member that nobody reads.
        var upload = Upload(name);
        var cut = upload.LastIndexOf('}');
        return await _page.RunAsync(
            $$"""
            return await new Promise(resolve => {
              const frame = document.createElement('iframe');
              frame.name = 'sink';
              let loads = 0;
              document.body.append(frame);
              const form = document.createElement('form');
              form.action = 'http://127.0.0.1:{{_plain.Address.Port}}/upload';
              form.method = 'post';
              form.enctype = 'text/plain';
              form.target = 'sink';
              const field = document.createElement('input');
              field.name = {{Quote(upload[..cut] + ",\"x\":\"")}};
              field.value = '"}';
              form.append(field);
              document.body.append(form);
              frame.onload = () => { loads++; resolve('loaded'); };
              form.submit();
            });
            """);
    });

    [TestCase("/version")]
    [TestCase("/status")]
    public async Task Answers_OfTheDevice_AreReadByAForeignPage(string path)
    {
        var read = await _page.RunAsync(Fetch(path, null, "", "cors"));
        Assert.That(read, isOpen ? Does.StartWith("200 ") : Does.StartWith("threw TypeError"));
    }

    [Test]
    public async Task Recording_OfASession_IsReadByAForeignPage()
    {
        var started = await HostProcess.RunAsync(_folder.Path, ["run", "--detach", "--device", $"unix:{_folder["plain"]}/furtherlink.sock", "--", "echo", "a secret of mine"]);
        var id = started.Output.Trim();
        Assert.That(id, Is.Not.Empty, started.Errors);
        var read = await _page.RunAsync(Fetch($"/recordings/{id}", null, "", "cors"));
        Assert.That(read, isOpen ? Does.StartWith("200 ") : Does.StartWith("threw TypeError"));
    }

    [Test]
    public async Task Preflight_OfAForeignPage_IsAnswered()
    {
        var read = await _page.RunAsync(Fetch("/upload", "{}", "application/json", "cors"));
        Assert.That(read, isOpen ? Does.StartWith("400 ") : Does.StartWith("threw TypeError"), "the request itself reaches the device only behind a preflight that lets it");
    }

    private static string Quote(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    // Ends when the socket has ended, or what it was to do is done.
    private static string Socket(string address, string file, string? protocol = null) =>
        $$$"""
        return await new Promise(resolve => {
          const socket = new WebSocket('{{{address}}}'{{{(protocol is null ? "" : $", ['furtherlink', '{protocol}']")}}});
          socket.onopen = () => socket.send(JSON.stringify({type: 'start', process: '1', data: {runner: 'exec', code: '#!/bin/sh\n: >{{{file}}}'}}));
          socket.onmessage = message => { const text = String(message.data); if (text.includes('stopped') || text.includes('error')) { resolve(text); socket.close(); } };
          socket.onclose = () => resolve('closed');
        });
        """;

    private static string Upload(string name) => $$$"""{"name":"{{{name}}}","files":{}}""";

    private string Fetch(string path, string? body, string type, string mode, string? device = null)
    {
        var options = body is null ? $"mode: '{mode}'" : $"mode: '{mode}', method: 'POST', headers: {{'Content-Type': '{type}'}}, body: {Quote(body)}";
        return $"const answer = await fetch('{device ?? $"http://127.0.0.1:{_plain.Address.Port}"}{path}', {{ {options} }}); return answer.status + ' ' + await answer.text();";
    }

    private async Task ExpectFileAsync(Func<string, Task<string>> attack)
    {
        var file = _folder[$"made-{Guid.NewGuid():N}"];
        var words = await attack(file);
        Assert.That(File.Exists(file), Is.EqualTo(isOpen), words);
    }

    private async Task ExpectDirectoryAsync(Func<string, Task<string>> attack)
    {
        var name = $"made-{Guid.NewGuid():N}";
        var words = await attack(name);
        Assert.That(Directory.Exists(Path.Combine(_folder["further"], name)), Is.EqualTo(isOpen), words);
    }
}
