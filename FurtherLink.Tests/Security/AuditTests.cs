using System.Security.Claims;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Pairing;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Security;

/// <summary>Who has connected, started, uploaded and changed what is written down, and how it ended.</summary>
[TestFixture]
internal sealed class AuditTests
{
    private static readonly Caller Phone = new("192.0.2.1", IsLocal: false);

    private TemporaryFolder _folder = null!;
    private ManualTimeProvider _time = null!;

    private string File => _folder["audit.jsonl"];

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _time = new ManualTimeProvider();
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Events_OfAClientsLife_AreWrittenInTheirOrder()
    {
        var logs = new CapturedLogs();
        string id, session;
        await using (var host = Host(logs))
        {
            var token = host.Get<TokenStore>().Add("phone", Access.Drive);
            id = "token:" + token.Info.Id;
            await using (var client = Connect(host, null))
            {
                await client.SendAsync("auth", data: new { token = "fl_wrong" });
                await client.UntilAsync("error");
                await client.SendAsync("auth", data: new { token = token.Text });
                await client.UntilAsync("auth");
                await client.SendAsync("hello", data: new { extensions = new[] { "sessions" } });
                await client.SendAsync("start", "1", new { runner = "fake", code = "print('private')", session = new { id = "abc" } });
                session = (string)(await client.UntilAsync("started"))["data"]!["session"]!["id"]!;
                (await host.Runner.NextAsync()).Exit(3);
                await client.UntilAsync("stopped");
                await client.Wire.SendAsync("""{"type":"uploadBegin","data":{"name":"games"}}""");
                var upload = (string?)(await client.UntilAsync("upload"))["data"]!["upload"];
                await client.SendAsync("uploadFile", data: new { upload, path = "a.txt", text = "private" });
                await client.SendAsync("uploadEnd", data: new { upload });
                await client.UntilAsync("uploaded");
            }

            host.Get<TokenStore>().Revoke("phone");
        }

        var user = UserAccount.Current.Name;
        var events = Read();
        Assert.That(events.Where(one => Text(one, "event") != "ended").Select(Summary), Is.EqualTo(new[]
        {
            $"tokenAdded who={user} id=user:{user} token=phone access=drive",
            "refused from=192.0.2.1 why=a token: this token counts for nothing here: it is wrong, revoked or expired",
            $"authenticated who=phone id={id} from=192.0.2.1 connection=test access=drive",
            $"started who=phone id={id} from=192.0.2.1 connection=test session=abc runner=fake user={user}",
            $"uploaded who=phone id={id} from=192.0.2.1 connection=test user={user} directory=games",
            $"tokenRevoked who={user} id=user:{user} token=phone access=drive",
        }));
        Assert.That(events.Where(one => Text(one, "event") == "ended").Select(Summary), Is.EqualTo(new[]
        {
            $"ended who=phone id={id} from=192.0.2.1 connection=test session={session} runner=fake user={user} end=exit code 3",
        }));
        Assert.That(events.Select(one => Text(one, "time")), Is.All.EqualTo("2026-01-01T00:00:00+00:00"));
        Assert.That(System.IO.File.ReadAllText(File), Does.Not.Contain("private"));
        Assert.That(System.IO.File.GetUnixFileMode(File), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(logs.Lines, Has.Some.StartsWith($"FurtherLink.Audit: started, who phone, id {id}, from 192.0.2.1, connection test, session abc, runner fake, user {user}"));
    }

    [Test]
    public async Task Pairing_IsWrittenDownWithWhoOpenedItAndWhoCame()
    {
        await using (var host = Host())
        {
            var window = host.Get<PairingDesk>().Open(new TokenTerms(Access.View));
            Assert.That(() => host.Get<PairingDesk>().PairAsync("0", "phone", Phone, default), Throws.InstanceOf<LinkException>());
            await host.Get<PairingDesk>().PairAsync(window.Code, "phone", Phone, default);
            await using var owner = Connect(host, LocalUsers.GrantTo(UserAccount.Current.Uid).ToPrincipal());
            await owner.SendAsync("pairingOpen", data: new { mode = "view" });
            await owner.UntilAsync("error");
        }

        var user = UserAccount.Current.Name;
        Assert.That(Read().Select(Summary).Select(line => line.Split(" id=token:")[0]), Is.EqualTo(new[]
        {
            "refused from=192.0.2.1 why=a code for pairing that counts for nothing",
            $"tokenAdded who={user} id=user:{user} token=phone access=view",
            "paired who=phone",
            $"connected who={user} id=user:{user} from=192.0.2.1 connection=test",
        }), "who comes over the network opens none");
    }

    [Test]
    public async Task Events_OfNobodyKnown_AreBounded_AndTheOthersAreNot()
    {
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time))
        {
            for (var i = 0; i < 200; i++)
                audit.Write(new AuditEvent("refused") { From = Phone.Address });
            for (var i = 0; i < 200; i++)
                audit.Write(new AuditEvent("started") { Id = "token:1" });
            _time.Advance(TimeSpan.FromSeconds(1));
            audit.Write(new AuditEvent("refused") { From = "192.0.2.2" });
        }

        var events = Read();
        Assert.That(events.Count(one => Text(one, "event") == "started"), Is.EqualTo(200));
        Assert.That(events.Count(one => Text(one, "from") == Phone.Address), Is.EqualTo(60));
        Assert.That(events.TakeLast(2).Select(Summary), Is.EqualTo(new[] { "omitted why=140 events that nobody known has made happen", "refused from=192.0.2.2" }));
    }

    [Test]
    public async Task Texts_OfClients_NeitherEndALineNorFillADisk()
    {
        var logs = new CapturedLogs();
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(logs));
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time, factory))
            audit.Write(new AuditEvent("uploaded") { Id = "token:1", Directory = "a\nstarted\e[2J\u202e" + new string('x', 10_000) });
        Assert.That(logs.Lines.Single().Split('\t')[0], Does.StartWith("FurtherLink.Audit: uploaded, id token:1, directory a?started?[2J?xxx").And.Length.LessThan(300));
        Assert.That(System.IO.File.ReadAllLines(File), Has.Length.EqualTo(1).And.All.Length.LessThan(400));
        Assert.That(Text(Read().Single(), "directory"), Does.StartWith("a\nstarted\e[2J\u202exxx"));
    }

    [TestCase("games, id user:root, from unix", "directory \"games, id user:root, from unix\"")]
    [TestCase("games\", id user:root", "directory \"games', id user:root\"")]
    [TestCase("a\u2028b\u2029c\u0085d\u2066e", "directory a?b?c?d?e")]
    [TestCase("half \ud83d", "directory half ")]
    public async Task Names_OfClients_ReadLikeNoOtherField(string name, string expected)
    {
        var logs = new CapturedLogs();
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(logs));
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time, factory))
        {
            audit.Write(new AuditEvent("uploaded") { Id = "token:1", Directory = name });
            audit.Write(new AuditEvent("uploaded") { Id = "token:2" });
        }

        Assert.That(logs.Lines[0].Split('\t')[0], Does.StartWith("FurtherLink.Audit: uploaded, id token:1, " + expected));
        Assert.That(Read(), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task File_ThatEndsInTheMiddleOfALine_GoesOnInTheNext()
    {
        // What a disk that was full leaves.
        System.IO.File.WriteAllText(File, "{\"time\":\"20");
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time))
            audit.Write(new AuditEvent("started") { Id = "1" });
        Assert.That(System.IO.File.ReadAllLines(File), Has.Length.EqualTo(2).And.Some.StartsWith("{\"time\":\"2026-01-01"));
    }

    [Test]
    public async Task Events_ThatCannotBeWritten_AreCountedWhenOthersCan()
    {
        var logs = new CapturedLogs();
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(logs));
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time, factory))
        {
            Directory.CreateDirectory(File);
            audit.Write(new AuditEvent("started") { Id = "1" });
            await Patience.UntilAsync(() => logs.Lines.Any(line => line.Contains("cannot be written", StringComparison.Ordinal)), "the first is lost");
            Directory.Delete(File);
            audit.Write(new AuditEvent("started") { Id = "2" });
        }

        Assert.That(Read().Select(Summary), Is.EqualTo(new[] { "omitted why=1 events that could not be written", "started id=2" }));
    }

    [Test]
    public async Task Events_OfNobodyKnown_AreCountedAtTheEnd()
    {
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time))
        {
            for (var i = 0; i < 63; i++)
                audit.Write(new AuditEvent("refused") { From = Phone.Address });
        }

        Assert.That(Summary(Read()[^1]), Is.EqualTo("omitted why=3 events that nobody known has made happen"));
    }

    [Test]
    public async Task File_PutAside_IsFollowedByANewOne()
    {
        await using var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time);
        audit.Write(new AuditEvent("started") { Id = "1" });
        await Patience.UntilAsync(() => System.IO.File.Exists(File) && Read().Count == 1, "the first is written");
        System.IO.File.Move(File, File + ".1");
        audit.Write(new AuditEvent("started") { Id = "2" });
        await Patience.UntilAsync(() => System.IO.File.Exists(File) && Read().Count == 1, "the second is written");
        Assert.That(Text(Read().Single(), "id"), Is.EqualTo("2"));
    }

    [Test]
    public async Task File_OfTwoProcesses_LosesNothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            await using var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time);
            for (var i = 0; i < 50; i++)
            {
                audit.Write(new AuditEvent("started") { Id = $"{number}-{i}" });
                await Task.Yield();
            }
        })));
        Assert.That(Read().Select(one => Text(one, "id")).Distinct().Count(), Is.EqualTo(200));
    }

    [Test]
    public async Task File_ThatCannotBeUsed_IsSaidAtTheStart_AndOnceLater()
    {
        _folder.Write("audit.jsonl", "");
        System.IO.File.SetUnixFileMode(File, (UnixFileMode)0b110_100_100);
        Assert.That(new AccessOptions { AuditFile = File }.FindFaults(), Is.EqualTo(new[] { $"AuditFile: \"{File}\" is open to others; close it: chmod 640 {File}" }));
        Assert.That(new AccessOptions { AuditFile = _folder["none/audit"] }.FindFaults().Single(), Does.StartWith("AuditFile: "));
        var logs = new CapturedLogs();
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(logs));
        await using (var audit = new AuditLog(Options.Create(new AccessOptions { AuditFile = File }), _time, factory))
        {
            audit.Write(new AuditEvent("started") { Id = "1" });
            await Patience.UntilAsync(() => logs.Lines.Any(line => line.Contains("cannot be written", StringComparison.Ordinal)), "it is said");
            audit.Write(new AuditEvent("started") { Id = "2" });
        }

        Assert.That(logs.Lines.Count(line => line.Contains("cannot be written", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    private static string? Text(JsonNode one, string name) => (string?)one[name];

    private static string Summary(JsonNode one) =>
        string.Join(' ', one.AsObject().Where(pair => pair.Key != "time").Select(pair => pair.Key == "event" ? pair.Value!.ToString() : $"{pair.Key}={pair.Value}"));

    private List<JsonNode> Read() => [.. System.IO.File.ReadAllLines(File).Select(line => JsonNode.Parse(line)!)];

    private TestHost Host(CapturedLogs? logs = null) => new(
        builder =>
        {
            builder.Services.Configure<AccessOptions>(access => (access.TokenFile, access.AuditFile) = (_folder["tokens.json"], File));
            if (logs is not null)
                builder.Services.AddLogging(logging => logging.AddProvider(logs));
        },
        time: _time);

    private static FurtherTestClient Connect(TestHost host, ClaimsPrincipal? principal) =>
        new(new MemoryWire(host.Server, frames => new LinkConnection("test", "further", frames) { Principal = principal, Caller = Phone }));
}
