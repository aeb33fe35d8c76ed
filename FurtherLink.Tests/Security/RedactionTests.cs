using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using FurtherLink.Client;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Pairing;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Tests.Security;

/// <summary>Whichever way a token, a password or a code is given, good or bad: nothing that is kept or told holds it.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class RedactionTests
{
    // crypt(3) of libxcrypt, cost 4.
    private const string Password = "p4ssw0rd-good";
    private const string Hash = "$2y$04$abcdefghijklmnopqrstuu9jgNjnLoVhKAGlkVcGzJu74P9XadQoK";

    private const string BadToken = "fl_b4dtoken";
    private const string BadPassword = "p4ssw0rd-b4d";
    private const string BadCode = "8765-4321";

    private readonly ConcurrentQueue<string> _told = new();
    private readonly CapturedLogs _logs = new();
    private TemporaryFolder _folder = null!;
    private TestHost _host = null!;
    private NewToken _token = null!;
    private Uri _address = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TemporaryFolder();
        File.SetUnixFileMode(_folder.Write("passwords", $"ann:{Hash}\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _host = new TestHost(builder =>
        {
            builder.Services.Configure<AccessOptions>(access =>
            {
                access.TokenFile = _folder["tokens.json"];
                access.PasswordFile = _folder["passwords"];
                access.AuditFile = _folder["audit"];
                access.LoginAttempts = 1000;
            });
            builder.Services.AddLogging(logging => logging.AddProvider(_logs).SetMinimumLevel(LogLevel.Trace));
        });
        _token = _host.Get<TokenStore>().Add("phone", Access.Drive);
        _address = await _host.ListenAsync("http");
    }

    [TearDown]
    public async Task TearDown()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Secrets_GivenEveryWay_AreToldNowhere()
    {
        using var activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Tell,
        };
        ActivitySource.AddActivityListener(activities);
        using var meters = new MeterListener { InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
        meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Tell(instrument, tags));
        meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Tell(instrument, tags));
        meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Tell(instrument, tags));
        meters.Start();

        var codes = new List<string>();
        var tokens = new List<string> { _token.Text };
        foreach (var token in new[] { _token.Text, BadToken })
            await ShowTokenAsync(token);
        foreach (var password in new[] { Password, BadPassword })
        {
            await ShowPasswordAsync("ann", password);
            await ShowPasswordAsync("nobody", password);
            // In the wrong field.
            await ShowPasswordAsync(password, password);
        }

        var window = _host.Get<PairingDesk>().Open(new TokenTerms(Access.View));
        codes.Add(window.Code);
        await PostAsync("/pair", $$"""{"code":"{{BadCode}}","name":"x"}""");
        tokens.Add(Text(await PostAsync("/pair", $$"""{"code":"{{window.Code}}","name":"x"}""", isSecret: true), "token"));
        window = _host.Get<PairingDesk>().Open(new TokenTerms(Access.View));
        codes.Add(window.Code);
        await SayAsync($$"""{"type":"pair","data":{"code":"{{BadCode}}","name":"x"},"ref":"r"}""");
        await SayAsync($$"""{"type":"pair","data":{"code":"{{BadCode}}" "name":"x"} }""");
        tokens.Add(Text(await SayAsync($$"""{"type":"pair","data":{"code":"{{window.Code}}","name":"x"} }""", isSecret: true), "token"));
        await _host.StopAsync();
        meters.RecordObservableInstruments();
        // It writes whole addresses at any level below Warning, which the host does not let it.
        foreach (var line in _logs.Lines.Where(static line => !line.StartsWith("Microsoft.AspNetCore.Hosting.Diagnostics", StringComparison.Ordinal)))
            _told.Enqueue(line);

        Assert.That(File.ReadAllLines(_folder["audit"]), Has.Length.GreaterThan(10), "the file is written");
        Assert.That(_told, Has.Some.Contains("Connection ws-").And.Some.Contains("refused").And.Some.Contains("counts for nothing"), "this bites");
        var all = _told.Concat(File.ReadAllLines(_folder["audit"])).Concat(File.ReadAllLines(_folder["tokens.json"])).ToList();
        foreach (var secret in tokens.Concat(codes).Concat([BadToken, Password, BadPassword, BadCode, Hash[29..]]))
        {
            foreach (var form in Forms(secret))
                Assert.That(all.Where(text => text.Contains(form, StringComparison.OrdinalIgnoreCase)), Is.Empty, form);
        }
    }

    [Test]
    public void Texts_OfObjectsThatHoldSecrets_DoNot()
    {
        const string Secret = "s3cret";
        object[] all =
        [
            new TokenCredentials(Secret), new PasswordCredentials("ann", Secret), new PasswordCredentials(Secret, "x"), new Login(Secret), new Login(null, "ann", Secret),
            new Login(null, Secret, "x"), new NewToken(Secret, _token.Info), new PairRequest(Secret, "x"), new PairAnswer(Secret, "x", Access.View),
            new PairingOpened(Secret, DateTimeOffset.UnixEpoch), new ClientOptions { Token = Secret }, new PairedDevice("wss://pi:8028", Secret),
            new Call("auth.login", new Login(Secret)), new Result("pairing.pair", new PairAnswer(Secret, "x", Access.View)),
        ];
        Assert.That(all.Select(one => one.ToString()), Has.None.Contains(Secret));
        var window = _host.Get<PairingDesk>().Open(new TokenTerms(Access.View));
        Assert.That(window.ToString(), Does.Not.Contain(window.Code));
    }

    private static IEnumerable<string> Forms(string secret) =>
    [
        secret, secret.Replace("-", "", StringComparison.Ordinal), Uri.EscapeDataString(secret), Convert.ToHexString(Encoding.UTF8.GetBytes(secret)),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('='), Convert.ToBase64String(Encoding.UTF8.GetBytes("ann:" + secret)).TrimEnd('='),
    ];

    private static string Text(string answer, string name) => (string)(System.Text.Json.Nodes.JsonNode.Parse(answer)! is var node && node[name] is { } text ? text : node["data"]![name])!;

    private async Task ShowTokenAsync(string token)
    {
        await GetAsync("/version/apt/bash", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));
        await GetAsync("/version/apt/bash", request => request.Headers.TryAddWithoutValidation("Authorization", token));
        await GetAsync("/version/apt/bash", request => request.Headers.TryAddWithoutValidation("Authorization", "Digest " + token));
        await GetAsync("/version/apt/bash", request => request.Headers.TryAddWithoutValidation("Cookie", "__Host-furtherlink=" + token));
        await GetAsync("/version/apt/bash?token=" + token, _ => { });
        await PostAsync("/login", $$"""{"token":"{{token}}"}""");
        await PostAsync("/login", $$"""{"token":"{{token}}" """);
        await SayAsync($$"""{"type":"auth","data":{"token":"{{token}}"},"ref":"r"}""");
        await SayAsync($$"""{"type":"auth","data":{"token":["{{token}}"]} }""");
        await SayAsync($$"""{"type":"auth","data":{"token":"{{token}}" }""");
        await SayAsync("""{"type":"ping"}""", configure: socket =>
        {
            socket.AddSubProtocol("furtherlink");
            socket.AddSubProtocol("furtherlink.token." + token);
        });
        try
        {
            await using var client = await FurtherLinkClient.ConnectAsync(
                new UriBuilder(_address) { Scheme = "ws" }.Uri.ToString(), new ClientOptions { Token = token, ReconnectTimeout = TimeSpan.Zero });
        }
        catch (LinkException e)
        {
            _told.Enqueue(e.ToString());
        }
    }

    private async Task ShowPasswordAsync(string user, string password)
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        await GetAsync("/version/apt/bash", request => request.Headers.Authorization = new AuthenticationHeaderValue("Basic", basic));
        await GetAsync("/version/apt/bash", request => request.Headers.Authorization = new AuthenticationHeaderValue("Basic", basic[1..]));
        await PostAsync("/login", $$"""{"user":"{{user}}","password":"{{password}}"}""");
        await SayAsync($$"""{"type":"auth","data":{"user":"{{user}}","password":"{{password}}"},"ref":"r"}""");
        await SayAsync($$"""{"type":"auth","data":{"user":7,"password":"{{password}}"} }""");
    }

    private async Task GetAsync(string path, Action<HttpRequestMessage> change)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = _address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        change(request);
        using var response = await http.SendAsync(request);
        _told.Enqueue(await response.Content.ReadAsStringAsync());
    }

    private async Task<string> PostAsync(string path, string body, bool isSecret = false)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = _address };
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        if (!isSecret)
            _told.Enqueue(text);
        return text;
    }

    private async Task<string> SayAsync(string message, bool isSecret = false, Action<ClientWebSocketOptions>? configure = null)
    {
        using var socket = new ClientWebSocket();
        configure?.Invoke(socket.Options);
        try
        {
            await socket.ConnectAsync(new Uri(new UriBuilder(_address) { Scheme = "ws" }.Uri, "/run"), default);
            await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, default);
            var buffer = new byte[64 * 1024];
            var result = await socket.ReceiveAsync(buffer, default).WaitAsync(Patience.Long);
            var text = Encoding.UTF8.GetString(buffer, 0, result.Count);
            if (!isSecret)
                _told.Enqueue(text);
            return text;
        }
        catch (WebSocketException e)
        {
            _told.Enqueue(e.ToString());
            return "";
        }
    }

    private void Tell(Activity activity) => _told.Enqueue(
        $"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Events.SelectMany(one => one.Tags))} {activity.StatusDescription}");

    private void Tell(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => _told.Enqueue($"{instrument.Name} {string.Join(' ', tags.ToArray())}");
}
