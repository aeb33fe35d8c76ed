using System.Security.Claims;
using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FurtherLink.Tests.Security;

/// <summary>A client says who it is by its first message, and may do then what that allows.</summary>
[TestFixture]
internal sealed class AuthenticationTests
{
    private TemporaryFolder _folder = null!;
    private ManualTimeProvider _time = null!;
    private TestHost _host = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _time = new ManualTimeProvider();
        _host = new TestHost(builder => builder.Services.Configure<AccessOptions>(access =>
        {
            access.TokenFile = _folder["tokens.json"];
            access.LoginAttempts = 3;
        }), time: _time);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Token_InTheFirstMessage_LetsInAndStaysIn()
    {
        var token = Tokens.Add("phone", Access.Drive);
        await using var client = Connect();
        await client.SendAsync("auth", data: new { token = token.Text });
        var answer = (await client.NextAsync())!;
        Assert.That(((string?)answer["type"], (string?)answer["data"]!["name"], (string?)answer["data"]!["access"]), Is.EqualTo(("auth", "phone", "drive")));
        await client.SendAsync("start", "1", new { runner = "fake" });
        await client.UntilAsync("started");
        _time.Advance(TimeSpan.FromSeconds(10));
        await client.SendAsync("ping");
        await client.UntilAsync("pong");
    }

    [Test]
    public async Task Messages_BehindTheFirst_WaitForItsEnd()
    {
        var slow = new SlowAuthenticator();
        await using var host = new TestHost(builder => builder.Services.Replace(ServiceDescriptor.Singleton<IAuthenticator>(slow)));
        await using var client = Connect(host);
        await client.SendAsync("auth", data: new { token = "x" });
        await client.SendAsync("start", "1", new { runner = "fake" });
        for (var i = 0; i < 50; i++)
            await client.InputAsync("1", $"{i} ");
        await slow.Asked.Task.WaitAsync(Patience.Long);
        Assert.That(host.Sessions.Sessions, Is.Empty);
        slow.Answer.SetResult(Rights.Grant("x", Access.Drive));
        var program = await host.Runner.NextAsync();
        await client.UntilAsync("started");
        await program.TakeAsync(string.Concat(Enumerable.Range(0, 50).Select(i => $"{i} ")));
    }

    [TestCase("""{"type":"auth"}""", "badMessage")]
    [TestCase("""{"type":"auth","data":{"user":"x"}}""", "badMessage")]
    [TestCase("""{"type":"auth","data":{"token":7}}""", "badMessage")]
    [TestCase("""{"type":"auth","data":{"token":"fl_secret","user":"x","password":"secret"}}""", "badMessage")]
    [TestCase("""{"type":"auth","data":{"token":""}}""", "unauthenticated")]
    [TestCase("""{"type":"auth","data":{"token":"fl_secret"}}""", "unauthenticated")]
    [TestCase("""{"type":"auth","data":{"user":"x","password":"secret"}}""", "unauthenticated")]
    public async Task Credentials_ThatCountForNothing_LetNobodyIn(string message, string code)
    {
        await using var client = Connect();
        await client.Wire.SendAsync(message.Replace("}}", "},\"ref\":\"r\"}", StringComparison.Ordinal).Replace("\"auth\"}", "\"auth\",\"ref\":\"r\"}", StringComparison.Ordinal));
        var error = await client.UntilAsync("error");
        Assert.That((string?)error["data"]!["code"], Is.EqualTo(code));
        Assert.That(error.ToJsonString(), Does.Not.Contain("secret"));
        await client.SendAsync("start", "1", new { runner = "fake" });
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("say who you are"));
    }

    [Test]
    public async Task Tries_ThatFailTooOften_AreRefusedForAWhile_ButATokenThatCountsIsNot()
    {
        var token = Tokens.Add("phone", Access.Drive);
        await using var client = Connect();
        for (var i = 0; i < 3; i++)
            Assert.That(await TryAsync(client, "fl_wrong"), Does.Contain("counts for nothing"));
        Assert.That(await TryAsync(client, "fl_wrong"), Does.Contain("wait 20 s"));
        Assert.That(await TryAsync(client, token.Text), Is.EqualTo("auth"));
        await using var other = Connect(caller: new Caller("192.0.2.9", IsLocal: false));
        Assert.That(await TryAsync(other, "fl_wrong"), Does.Contain("counts for nothing"), "another address");
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(await TryAsync(client, "fl_wrong"), Does.Contain("counts for nothing"));
    }

    [Test]
    public async Task Token_ThatIsRevoked_DisconnectsItsClient()
    {
        var token = Tokens.Add("phone", Access.Drive);
        await using var client = Connect();
        Assert.That(await TryAsync(client, token.Text), Is.EqualTo("auth"));
        Tokens.Revoke("phone");
        Assert.That(await client.NextAsync(), Is.Null);
    }

    [Test]
    public async Task Client_OfTheLibrary_ShowsItsTokenOnEachConnection()
    {
        var token = Tokens.Add("phone", Access.Own);
        await using var client = await FurtherLinkClient.ConnectAsync(new UnknownConnector(_host.Server), new ClientOptions { Token = token.Text });
        await using var session = await client.StartAsync(new RunRequest("fake"));
        Assert.That(_host.Sessions.Sessions.Single().Info.Owner, Is.EqualTo("token:" + token.Info.Id));
        Assert.That(client.Options.ToString(), Does.Not.Contain(token.Text));
    }

    [TestCase(null, "say who you are")]
    [TestCase("fl_wrong", "does not let this client in: this token counts for nothing")]
    public void Client_OfTheLibrary_SaysWhyItIsNotLetIn(string? token, string why) => Assert.That(
        () => FurtherLinkClient.ConnectAsync(new UnknownConnector(_host.Server), new ClientOptions { Token = token, ReconnectTimeout = TimeSpan.Zero }),
        Throws.InstanceOf<LinkConnectException>().With.Message.Contains(why).And.Property("IsFinal").True);

    [Test]
    public void Client_OfTheLibrary_SendsNoTokenWhereOthersCanReadIt() => Assert.That(
        () => FurtherLinkClient.ConnectAsync("ws://192.0.2.1:9/run", new ClientOptions { Token = "fl_x" }),
        Throws.InstanceOf<LinkConnectException>().With.Message.Contains("wss://"));

    private TokenStore Tokens => _host.Get<TokenStore>();

    private static async Task<string> TryAsync(FurtherTestClient client, string token)
    {
        await client.SendAsync("auth", data: new { token });
        var answer = (await client.NextAsync())!;
        return (string?)answer["type"] == "auth" ? "auth" : answer["data"]!.ToJsonString();
    }

    private FurtherTestClient Connect(TestHost? host = null, Caller? caller = null) =>
        new(new MemoryWire((host ?? _host).Server, frames => new LinkConnection("test", "further", frames) { Caller = caller ?? Caller.Here }));

    private sealed class SlowAuthenticator : IAuthenticator
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<ClaimsPrincipal> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            return await Answer.Task.WaitAsync(cancellationToken);
        }
    }
}
