using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Pairing;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Security;

/// <summary>A client gets a token for a code that the device shows, once, for a while, and not by guessing.</summary>
[TestFixture]
internal sealed class PairingTests
{
    private static readonly Caller Phone = new("192.0.2.1", IsLocal: false);

    private TemporaryFolder _folder = null!;
    private ManualTimeProvider _time = null!;
    private TestHost _host = null!;

    private PairingDesk Desk => _host.Get<PairingDesk>();

    private TokenStore Tokens => _host.Get<TokenStore>();

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _time = new ManualTimeProvider();
        _host = Host();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase("{0}-{1}-{2}")]
    [TestCase("{0}{1}{2}")]
    [TestCase(" {0} {1} {2}")]
    public async Task Code_HoweverItIsWritten_GivesATokenOnce(string form)
    {
        var window = Desk.Open(new TokenTerms(Access.View) { Users = ["pi"], SeesOthers = false });
        Assert.That(window.Code, Does.Match("^[0-9]{4}-[0-9]{4}-[0-9]{4}$"));
        var code = string.Format(form, window.Code.Split('-'));
        var token = await Desk.PairAsync(code, "phone", Phone, CancellationToken.None);
        var grant = Tokens.Find(token.Text)!;
        Assert.That((grant.Name, grant.Access, grant.SeesOthers, grant.Users), Is.EqualTo(("phone", Access.View, false, new[] { "pi" })));
        var outcome = await window.Outcome.WaitAsync(Patience.Long);
        Assert.That((outcome.End, outcome.Token?.Name), Is.EqualTo((PairingEnd.Paired, "phone")));
        Assert.That(() => PairAsync(code), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Unauthenticated));
    }

    [Test]
    public async Task Codes_ThatAreWrong_KeepNobodyOut()
    {
        var window = Desk.Open(new TokenTerms(Access.Drive));
        foreach (var wrong in new[] { "", "1234", Other(window.Code), window.Code + "0", "x" + window.Code, window.Code[..^1] })
            Assert.That(() => PairAsync(wrong), Throws.InstanceOf<LinkException>().With.Message.Contains("counts for nothing"), wrong);
        for (var i = 0; i < 100; i++)
            Assert.That(() => PairAsync(Other(window.Code)), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Limited));
        Assert.That(window.Outcome.IsCompleted, Is.False, "any stranger could end it");
        Assert.That((await PairAsync(window.Code)).Info.Name, Is.EqualTo("phone"), "others may have the same address");
    }

    [Test]
    public void Guesses_OfOneAddress_AreCountedOverAllWindows()
    {
        for (var i = 0; i < 6; i++)
        {
            var window = Desk.Open(new TokenTerms(Access.Drive));
            Assert.That(() => PairAsync(Other(window.Code)), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Unauthenticated));
        }

        var last = Desk.Open(new TokenTerms(Access.Drive));
        Assert.That(() => PairAsync(Other(last.Code)), Throws.InstanceOf<LinkException>().With.Message.Contains("wait 10 s").And.Property("RetryAfter").EqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(() => Desk.PairAsync(Other(last.Code), "phone", new Caller("192.0.2.2", IsLocal: false), CancellationToken.None), Throws.InstanceOf<LinkException>().With.Message.Contains("counts for nothing"));
    }

    [Test]
    public async Task Codes_MoreThanAWindowLooksAt_AreNotLookedAt()
    {
        var window = Desk.Open(new TokenTerms(Access.Drive));
        for (var i = 0; i < 6 + PairingWindow.LooksPerMinute; i++)
            Assert.That(() => PairAsync(Other(window.Code)), Throws.InstanceOf<LinkException>());
        Assert.That(() => PairAsync(window.Code), Throws.InstanceOf<LinkException>().With.Property("RetryAfter").EqualTo(TimeSpan.FromMilliseconds(10)), "of those who fail");
        for (var i = 6; i < PairingWindow.LooksPerMinute; i++)
            Assert.That(() => window.TryTake(Other(window.Code), hasFailed: false), Is.False);
        Assert.That(() => window.TryTake(window.Code, hasFailed: false), Throws.InstanceOf<LinkException>(), "of all others");
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.That(window.TryTake(Other(window.Code), hasFailed: false), Is.False);
        Assert.That((await PairAsync(window.Code)).Info.Name, Is.EqualTo("phone"));
    }

    [Test]
    public async Task Time_ThatIsOver_EndsIt()
    {
        var window = Desk.Open(new TokenTerms(Access.Drive));
        Assert.That(window.Ends, Is.EqualTo(_time.GetUtcNow().AddMinutes(2)), "PairingTime");
        _time.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromTicks(1));
        Assert.That(window.Outcome.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.That((await window.Outcome.WaitAsync(Patience.Long)).End, Is.EqualTo(PairingEnd.TimedOut));
        Assert.That(() => PairAsync(window.Code), Throws.InstanceOf<LinkException>());
    }

    [Test]
    public async Task Window_OpenedBesideAnother_ClosesThat()
    {
        var first = Desk.Open(new TokenTerms(Access.Drive));
        _time.Advance(TimeSpan.FromMinutes(1));
        var second = Desk.Open(new TokenTerms(Access.Drive));
        Assert.That((await first.Outcome.WaitAsync(Patience.Long)).End, Is.EqualTo(PairingEnd.Closed));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(second.Outcome.IsCompleted, Is.False, "it has its own time");
        Assert.That((await PairAsync(second.Code)).Info.Name, Is.EqualTo("phone"));
    }

    [Test]
    public async Task Name_ThatIsTakenOrNone_CostsNoCode()
    {
        Tokens.Add("phone", Access.View);
        var window = Desk.Open(new TokenTerms(Access.Drive));
        Assert.That(() => Desk.PairAsync(window.Code, "a\nb", Phone, CancellationToken.None), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.BadValue));
        Assert.That((await PairAsync(window.Code)).Info.Name, Is.EqualTo("phone-2"));
    }

    [Test]
    public async Task Codes_ShownAtOnce_GiveOneToken()
    {
        var window = Desk.Open(new TokenTerms(Access.Drive));
        var tries = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            try
            {
                return await Desk.PairAsync(window.Code, "phone", new Caller($"192.0.2.{i}", IsLocal: false), CancellationToken.None);
            }
            catch (LinkException)
            {
                return null;
            }
        })));
        Assert.That(tries.Count(token => token is not null), Is.EqualTo(1));
        Assert.That(Tokens.List(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Messages_OfBothSides_PairOverTheWire()
    {
        await using var owner = Connect(LocalUsers.GrantTo(FurtherLink.Processes.UserAccount.Current.Uid).ToPrincipal(), Caller.Here);
        await owner.SendAsync("pairingOpen", data: new { mode = "own", users = new[] { "pi" }, seesOthers = false, expires = "2031-01-01T00:00:00Z" });
        var code = (string?)(await owner.UntilAsync("pairing"))["data"]!["code"];
        await owner.SendAsync("pairingWait");
        await using var phone = Connect(null, Phone);
        await phone.SendAsync("pair", data: new { code, name = "phone" });
        var paired = (await phone.UntilAsync("paired"))["data"]!;
        Assert.That((paired["name"]!.ToString(), paired["access"]!.ToString()), Is.EqualTo(("phone", "own")));
        var over = (await owner.UntilAsync("pairingOver"))["data"]!;
        Assert.That((over["outcome"]!.ToString(), over["name"]!.ToString()), Is.EqualTo(("paired", "phone")));
        await phone.SendAsync("auth", data: new { token = paired["token"]!.ToString() });
        await phone.UntilAsync("auth");
        var info = Tokens.List().Single();
        Assert.That((info.Users, info.SeesOthers, info.Expires), Is.EqualTo((new[] { "pi" }, false, new DateTimeOffset(2031, 1, 1, 0, 0, 0, TimeSpan.Zero))));
    }

    [Test]
    public async Task Owner_ThatGoes_ClosesTheWindow()
    {
        string code;
        await using (var owner = Connect(LocalUsers.GrantTo(FurtherLink.Processes.UserAccount.Current.Uid).ToPrincipal(), Caller.Here))
        {
            await owner.SendAsync("pairingOpen");
            code = (string)(await owner.UntilAsync("pairing"))["data"]!["code"]!;
        }

        await Patience.UntilAsync(() => !Desk.IsOpen, "the window closes");
        Assert.That(() => PairAsync(code), Throws.InstanceOf<LinkException>());
    }

    [TestCase("pairingOpen", "own", "only root")]
    [TestCase("pairingOpen", "drive", "the right to own")]
    [TestCase("pairingOpen", null, "say who you are")]
    [TestCase("pairingWait", "own", "has opened no pairing")]
    [TestCase("pairingWait", null, "say who you are")]
    public async Task Window_IsNotForOthers(string type, string? access, string why)
    {
        await using var client = Connect(access is null ? null : Rights.Grant("token", Enum.Parse<Access>(access, ignoreCase: true)), Caller.Here);
        await client.SendAsync(type);
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain(why));
        Assert.That(Desk.IsOpen, Is.False);
    }

    [Test]
    public async Task Window_OverTheNetwork_IsNotForRootEither()
    {
        await using var client = Connect(LocalUsers.GrantTo(FurtherLink.Processes.UserAccount.Current.Uid).ToPrincipal(), Phone);
        await client.SendAsync("pairingOpen");
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("on the device itself"));
    }

    [TestCase("""{"type":"pair"}""")]
    [TestCase("""{"type":"pair","data":{"code":7,"name":"x"}}""")]
    [TestCase("""{"type":"pair","data":{"code":"1234-5678"}}""")]
    [TestCase("""{"type":"pair","data":{"code":"1234-5678","name":" "}}""")]
    [TestCase("""{"type":"pair","data":{"code":"1234-5678","name":"x"}}""")]
    public async Task Pair_ThatIsWrong_IsRefusedAndTheConnectionGoesOn(string message)
    {
        await using var client = Connect(null, Phone);
        await client.Wire.SendAsync(message);
        Assert.That((await client.UntilAsync("error")).ToJsonString(), Does.Not.Contain("1234"));
        var window = Desk.Open(new TokenTerms(Access.Drive));
        await client.SendAsync("pair", data: new { code = window.Code, name = "phone" });
        await client.UntilAsync("paired");
    }

    [Test]
    public async Task Hook_IsGivenTheCodeAndToldTheEnd()
    {
        _folder.Write("hook.sh", $"echo \"$FURTHERLINK_PAIRING ${{FURTHERLINK_PAIRING_CODE:-none}}\" | tee -a {_folder["shown"]}\n");
        await using (var host = Host("sh " + _folder["hook.sh"]))
        {
            var window = host.Get<PairingDesk>().Open(new TokenTerms(Access.Drive));
            await Patience.UntilAsync(() => Shown() == $"open {window.Code}\n", "the code is shown");
            window.Close();
            await Patience.UntilAsync(() => Shown() == $"open {window.Code}\nclosed none\n", "the end is shown");
        }

        string Shown() => File.Exists(_folder["shown"]) ? File.ReadAllText(_folder["shown"]) : "";
    }

    [Test]
    public async Task Display_OfAnEmbedder_IsShownTheWindow()
    {
        var display = new Display();
        await using var host = Host(display: display);
        var window = host.Get<PairingDesk>().Open(new TokenTerms(Access.Drive));
        Assert.That(display.Shown, Is.SameAs(window));
        Assert.That(window.ToString(), Does.Not.Contain(window.Code));
    }

    [Test]
    public async Task Client_OfTheLibrary_Pairs()
    {
        var window = Desk.Open(new TokenTerms(Access.Drive));
        var connector = new UnknownConnector(_host.Server);
        Assert.That(() => ClientPairing.PairAsync(connector, Other(window.Code), "laptop"), Throws.InstanceOf<LinkException>().With.Message.Contains("counts for nothing"));
        var paired = await ClientPairing.PairAsync(connector, window.Code, "laptop");
        Assert.That((paired.Name, paired.Access), Is.EqualTo(("laptop", Access.Drive)));
        Assert.That(paired.ToString(), Does.Not.Contain(paired.Token));
        await using var client = await FurtherLinkClient.ConnectAsync(connector, new ClientOptions { Token = paired.Token });
        await client.PingAsync();
    }

    private static string Other(string code) => (code[0] == '0' ? '1' : '0') + code[1..];

    private Task<NewToken> PairAsync(string code) => Desk.PairAsync(code, "phone", Phone, CancellationToken.None);

    private TestHost Host(string? hook = null, IPairingDisplay? display = null) => new(
        builder =>
        {
            builder.Services.Configure<AccessOptions>(access =>
            {
                access.TokenFile = _folder["tokens.json"];
                access.LoginAttempts = 6;
                access.PairingTime = TimeSpan.FromMinutes(2);
                access.PairingHook = hook;
            });
            if (display is not null)
                builder.Services.AddSingleton(display);
        },
        time: hook is null ? _time : null);

    private FurtherTestClient Connect(System.Security.Claims.ClaimsPrincipal? principal, Caller caller) =>
        new(new MemoryWire(_host.Server, frames => new LinkConnection("test", "further", frames) { Principal = principal, Caller = caller }));

    private sealed class Display : IPairingDisplay
    {
        public PairingWindow? Shown { get; private set; }

        public void Show(PairingWindow window) => Shown = window;
    }
}
