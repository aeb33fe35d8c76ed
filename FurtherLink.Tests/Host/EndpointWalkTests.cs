using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Codecs.Further;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Host;

/// <summary>
/// Every address of the host, every message of its dialects and every service: none of them does anything for somebody who is not known. What is new has
/// to be entered here.
/// </summary>
[TestFixture]
internal sealed class EndpointWalkTests
{
    // What a well-formed request is, and what somebody unknown is answered.
    private static readonly Dictionary<string, (Func<HttpRequestMessage> Request, HttpStatusCode Answer)> Addresses = new(StringComparer.Ordinal)
    {
        ["/run"] = (() => Get("/run"), HttpStatusCode.BadRequest),
        ["/run-py"] = (() => Get("/run-py"), HttpStatusCode.BadRequest),
        ["/status"] = (() => Get("/status"), HttpStatusCode.OK),
        ["/version"] = (() => Get("/version"), HttpStatusCode.OK),
        ["/version/apt/{pkg}"] = (() => Get("/version/apt/bash"), HttpStatusCode.Unauthorized),
        ["/upload"] = (() => Post("/upload", new JsonObject { ["name"] = "made", ["files"] = new JsonObject() }), HttpStatusCode.Unauthorized),
        ["/recordings/{session}"] = (() => Get("/recordings/kept"), HttpStatusCode.Unauthorized),
        ["/login"] = (() => Post("/login", new JsonObject { ["token"] = "fl_guess" }), HttpStatusCode.Unauthorized),
        ["/logout"] = (() => Post("/logout", []), HttpStatusCode.NoContent),
        ["/pair"] = (() => Post("/pair", new JsonObject { ["code"] = "1234-5678", ["name"] = "x" }), HttpStatusCode.Unauthorized),
        ["/metrics"] = (() => Get("/metrics"), HttpStatusCode.Unauthorized),
        ["/portacode"] = (() => Get("/portacode"), HttpStatusCode.Unauthorized),
    };

    // The data of a message that would do something, or tell something, for somebody who may.
    private static readonly Dictionary<FurtherVerb, string> Messages = new()
    {
        [FurtherVerb.Ping] = "{}",
        [FurtherVerb.Start] = """{"runner":"exec","code":"#!/bin/sh\n: >made","sourceScript":"open('made','w')"}""",
        [FurtherVerb.Stop] = "{}",
        [FurtherVerb.Stdin] = """{"input":"x"}""",
        [FurtherVerb.Resize] = """{"rows":1,"cols":1}""",
        [FurtherVerb.KeyEvent] = """{"key":"a","event":"keydown"}""",
        [FurtherVerb.Upload] = """{"directory":{"name":"made","files":{}}}""",
        [FurtherVerb.Attach] = """{"session":"kept"}""",
        [FurtherVerb.Detach] = "{}",
        [FurtherVerb.List] = "{}",
        [FurtherVerb.Ack] = """{"offset":1}""",
        [FurtherVerb.Request] = "{}",
        [FurtherVerb.Grant] = """{"member":1}""",
        [FurtherVerb.Take] = "{}",
        [FurtherVerb.Hello] = """{"client":"x"}""",
        [FurtherVerb.Signal] = """{"signal":9}""",
        [FurtherVerb.UploadBegin] = """{"name":"made"}""",
        [FurtherVerb.UploadFile] = """{"upload":"u1","path":"made","text":"x"}""",
        [FurtherVerb.UploadEnd] = """{"upload":"u1"}""",
        [FurtherVerb.UploadCancel] = """{"upload":"u1"}""",
        [FurtherVerb.Auth] = """{"token":"fl_guess"}""",
        [FurtherVerb.Pair] = """{"code":"1234-5678","name":"x"}""",
        [FurtherVerb.PairingOpen] = "{}",
        [FurtherVerb.PairingWait] = "{}",
    };

    private TemporaryFolder _folder = null!;
    private HostConfiguration _configuration = null!;
    private ListenSockets _sockets = null!;
    private WebApplication _app = null!;

    private static IEnumerable<FurtherVerb> Verbs => Enum.GetValues<FurtherVerb>().Where(verb => verb is not FurtherVerb.Unknown);

    private static IEnumerable<string> Dialects => ["/run", "/run-py"];

    [OneTimeSetUp]
    public async Task OneTimeSetUpAsync()
    {
        _folder = new TemporaryFolder();
        _configuration = HostConfiguration.Load(
            new Dictionary<string, string>
            {
                ["FurtherLink:NoTls"] = "true",
                ["FurtherLink:Port"] = "0",
                ["FurtherLink:LoopbackAccess"] = "false",
                ["FurtherLink:Metrics"] = "true",
                ["FurtherLink:Portacode:Listen"] = "true",
                ["FurtherLink:NoHold"] = "true",
                ["FurtherLink:StateDirectory"] = _folder["state"],
                ["FurtherLink:WorkDirectory"] = Directory.CreateDirectory(_folder["work"]).FullName,
                ["FurtherLink:LoginAttempts"] = "1000",
            },
            new Dictionary<string, string>());
        var options = ServeOptions.Read(_configuration);
        _sockets = ListenSockets.Bind(options.Addresses, options.Port);
        _app = LinkHost.Build(_configuration, options, _sockets, tls: null, running: null, socket: null);
        await _app.StartAsync();
        await Sessions.StartAsync(new RunRequest("exec")
        {
            Code = "#!/bin/sh\nexec sleep 1000",
            Terminal = new TerminalSize(24, 80),
            Session = new FurtherLink.Messages.SessionOptions { Name = "kept", WhenDetached = WhenDetached.Keep },
        });
    }

    [OneTimeTearDown]
    public async Task OneTimeTearDownAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _sockets.Dispose();
        _configuration.Dispose();
        _folder.Dispose();
    }

    [TearDown]
    public void NothingHasHappened() => Assert.Multiple(() =>
    {
        Assert.That(Sessions.Sessions.Single().Info, Is.EqualTo(Sessions.Find("kept")!.Info).And.Property("Exit").Null.And.Property("Members").Zero);
        Assert.That(Directory.GetFileSystemEntries(_folder["work"]), Is.Empty);
    });

    [Test]
    public async Task Address_OfTheHost_DoesNothingForTheUnknown()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_sockets.Port}") };
        var patterns = _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.Cast<RouteEndpoint>().Select(endpoint => endpoint.RoutePattern.RawText!).ToList();
        Assert.That(patterns, Is.Not.Empty.And.SubsetOf(Addresses.Keys), "a new address says here what somebody unknown is answered");
        foreach (var pattern in patterns)
        {
            using var request = Addresses[pattern].Request();
            using var answer = await client.SendAsync(request);
            Assert.That(answer.StatusCode, Is.EqualTo(Addresses[pattern].Answer), $"{pattern}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    [Test]
    public void Socket_OfAGateway_IsNotOpenedForTheUnknown()
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        Assert.That(() => socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_sockets.Port}/portacode"), CancellationToken.None), Throws.InstanceOf<WebSocketException>());
        Assert.That(socket.HttpStatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task Message_OfADialect_IsRefusedToTheUnknown([ValueSource(nameof(Dialects))] string path, [ValueSource(nameof(Verbs))] FurtherVerb verb)
    {
        Assert.That(Messages, Contains.Key(verb), "a new message says here what it is like");
        await using var client = new FurtherTestClient(await WebSocketWire.ConnectAsync(new Uri($"ws://127.0.0.1:{_sockets.Port}{path}?extensions=*")));
        await client.Wire.SendAsync($$"""{"type":"{{FurtherVerbs.NameOf(verb)}}","process":"1","ref":"r","data":{{Messages[verb]}}}""");
        var answer = (await client.NextAsync())!;
        Assert.That((string?)answer["type"], Is.EqualTo("error"), answer.ToJsonString());
    }

    [Test]
    public void Service_OfAnyName_NeedsARight_UnlessItIsTheWayIn()
    {
        string[] entries = ["auth.login", "pairing.pair"];
        foreach (var service in _app.Services.GetServices<IService>())
        {
            foreach (var name in Calls(service.Name))
                Assert.That(service.Needs(new Call(name, null)), entries.Contains(name) ? Is.EqualTo(Access.None) : Is.GreaterThan(Access.None), name);
        }
    }

    private static IEnumerable<string> Calls(string service) => service switch
    {
        "auth" => ["auth.login"],
        "pairing" => ["pairing.pair", "pairing.open", "pairing.wait", "pairing.x"],
        "sessions" => ["sessions.list", "sessions.take", "sessions.request", "sessions.grant", "sessions.x"],
        _ => [service, service + ".x"],
    };

    private static HttpRequestMessage Get(string path) => new(HttpMethod.Get, path);

    private static HttpRequestMessage Post(string path, JsonObject body) => new(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };

    private SessionTable Sessions => _app.Services.GetRequiredService<SessionTable>();
}
