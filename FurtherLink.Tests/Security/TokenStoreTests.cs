using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Security;

/// <summary>Tokens are made, known again, revoked and expire; their file gives none of them away.</summary>
[TestFixture]
internal sealed class TokenStoreTests
{
    private TemporaryFolder _folder = null!;
    private ManualTimeProvider _time = null!;
    private TokenStore _store = null!;

    private string File => _folder["tokens.json"];

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _time = new ManualTimeProvider();
        _store = Open();
    }

    [TearDown]
    public void TearDown()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Token_ThatWasMade_IsKnownByItsWholeTextAlone()
    {
        var token = _store.Add("phone", new TokenTerms(Access.View) { Users = ["pi"], SeesOthers = false });
        var grant = _store.Find(token.Text)!;
        Assert.That((grant.Name, grant.Access, grant.SeesOthers, grant.Users, grant.Id), Is.EqualTo(("phone", Access.View, false, new[] { "pi" }, "token:" + token.Info.Id)));
        Assert.That(_store.Find(token.Text[..^1]), Is.Null);
        Assert.That(_store.Find(token.Text + "x"), Is.Null);
        Assert.That(_store.Find(""), Is.Null);
        Assert.That(_store.Find("phone"), Is.Null);
    }

    [Test]
    public void File_OfTokens_HoldsNoneAndIsPrivate()
    {
        var token = _store.Add("phone", Access.Own);
        Assert.That(System.IO.File.ReadAllText(File), Does.Not.Contain(token.Text[3..]));
        Assert.That(System.IO.File.GetUnixFileMode(File), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(token.ToString(), Does.Not.Contain(token.Text));
        Assert.That(Directory.GetFiles(_folder.Path).Select(Path.GetFileName), Is.SubsetOf(new[] { "tokens.json", "tokens.json.lock" }));
    }

    [Test]
    public void Tokens_OfAnotherProcess_CountAtOnceAndEndWithinTwoSeconds()
    {
        using var other = Open();
        var token = other.Add("phone", Access.Drive);
        var stays = other.Add("laptop", new TokenTerms(Access.Drive) { Users = ["pi"] });
        var ended = _store.Find(token.Text)!.Ended;
        var goesOn = _store.Find(stays.Text)!.Ended;

        Assert.That(other.Revoke("phone"), Is.True);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(ended.IsCancellationRequested, Is.True);
        Assert.That(goesOn.IsCancellationRequested, Is.False);
        Assert.That(_store.Find(token.Text), Is.Null);
        Assert.That(other.Revoke("phone"), Is.False);
        Assert.That(_store.List().Select(info => info.Name), Is.EqualTo(new[] { "laptop" }));
    }

    [Test]
    public void Token_ThatExpires_EndsForWhoIsThereToo()
    {
        var token = _store.Add("guest", new TokenTerms(Access.Drive) { Expires = _time.GetUtcNow().AddHours(1) });
        var ended = _store.Find(token.Text)!.Ended;
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.That(ended.IsCancellationRequested, Is.False);
        Assert.That(_store.Find(token.Text), Is.Not.Null);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(ended.IsCancellationRequested, Is.True);
        Assert.That(_store.Find(token.Text), Is.Null);
    }

    [TestCase("")]
    [TestCase(" phone")]
    [TestCase("a\nb")]
    [TestCase("phone\u200b", Description = "looks like another")]
    [TestCase("\u202eenohp")]
    [TestCase("phone\U000e0041", Description = "a tag, which is not shown")]
    [TestCase("my\u00a0phone", Description = "a space that is none")]
    [TestCase("phone\ud83d", Description = "would be kept as another")]
    [TestCase("taken")]
    public void Name_ThatIsNoneOrTaken_IsRefused(string name)
    {
        _store.Add("taken", Access.View);
        Assert.That(() => _store.Add(name, Access.View), Throws.InstanceOf<LinkException>());
        Assert.That(_store.List(), Has.Count.EqualTo(1));
    }

    [TestCase("{", null, "is no file of tokens")]
    [TestCase("null", null, "is no file of tokens")]
    [TestCase("[{\"info\":{\"id\":\"x\"},\"hash\":\"y\"}]", null, "is no file of tokens")]
    [TestCase("[]", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite, "is open to others")]
    public void File_ThatCannotBeTrusted_LetsNobodyInAndIsSaid(string text, UnixFileMode? mode, string why)
    {
        var token = _store.Add("phone", Access.Own);
        Assert.That(_store.Find(token.Text), Is.Not.Null);
        if (text != "[]")
            System.IO.File.WriteAllText(File, text);
        if (mode is { } open)
            System.IO.File.SetUnixFileMode(File, open);
        System.IO.File.SetLastWriteTimeUtc(File, DateTime.UtcNow.AddMinutes(1));
        Assert.That(_store.Find(token.Text), Is.Null);
        Assert.That(() => _store.List(), Throws.InstanceOf<TokenFileException>().With.Message.Contains(why));
    }

    [TestCase("null", "entry 1: is null")]
    [TestCase("access", "entry 1: access must be")]
    [TestCase("users", "entry 1: users must be names")]
    [TestCase("hash", "entry 1: hash must be 64")]
    [TestCase("twice", "entry 2: must have a name that no other has")]
    [TestCase("copy", "entry 2: hash must be")]
    public void File_WrittenInByHand_IsTakenOnlyWhereItMakesSense(string mistake, string why)
    {
        var token = _store.Add("phone", Access.Own);
        Assert.That(_store.Find(token.Text), Is.Not.Null);
        Edit(entries =>
        {
            var (entry, second) = (entries[0]!, entries[0]!.DeepClone());
            second["info"]!["name"] = "other";
            switch (mistake)
            {
                case "null": entries[0] = null; break;
                case "access": entry["info"]!["access"] = 7; break;
                case "users": entry["info"]!["users"] = new JsonArray((string?)null); break;
                case "hash": entry["hash"] = "AB"; break;
                case "twice": entries.Add(entry.DeepClone()); break;
                default: entries.Add(second); break;
            }
        });
        Assert.That(() => _time.Advance(TimeSpan.FromSeconds(2)), Throws.Nothing);
        Assert.That(_store.Find(token.Text), Is.Null);
        Assert.That(() => _store.List(), Throws.InstanceOf<TokenFileException>().With.Message.Contains(why));
    }

    [Test]
    public void Token_ChangedByHand_AllowsThatFromThenOn()
    {
        var token = _store.Add("phone", new TokenTerms(Access.Own) { Users = ["pi"] });
        var before = _store.Find(token.Text)!;
        Edit(entries => entries.Add(entries[0]!.DeepClone()), entries => (entries[1]!["info"]!["name"], entries[1]!["hash"]) = ("other", new string('0', 64)));
        Assert.That(before.Ended.IsCancellationRequested, Is.False, "another has come");
        Assert.That(_store.Find(token.Text), Is.SameAs(before));
        Edit(entries => entries[0]!["info"]!["access"] = "View");
        Assert.That(_store.Find(token.Text)!.Access, Is.EqualTo(Access.View));
        Assert.That(before.Ended.IsCancellationRequested, "who is there by it comes anew");
        Edit(entries => entries[0]!["info"]!["users"] = new JsonArray("root"));
        Assert.That(_store.Find(token.Text)!.Users, Is.EqualTo(new[] { "root" }));
    }

    [Test]
    public void File_ChangedWithinItsTimeAndLength_IsReadAgain()
    {
        var token = _store.Add("phone", Access.Own);
        Assert.That(_store.Find(token.Text), Is.Not.Null);
        var written = System.IO.File.GetLastWriteTimeUtc(File);
        var text = System.IO.File.ReadAllText(File);
        System.IO.File.WriteAllText(File, text.Replace((string)JsonNode.Parse(text)![0]!["hash"]!, new string('0', 64), StringComparison.Ordinal));
        System.IO.File.SetLastWriteTimeUtc(File, written);
        Assert.That(_store.Find(token.Text), Is.Null);
    }

    private void Edit(params Action<JsonArray>[] changes)
    {
        var entries = JsonNode.Parse(System.IO.File.ReadAllText(File))!.AsArray();
        foreach (var change in changes)
            change(entries);
        System.IO.File.WriteAllText(File, entries.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    [Test]
    public void Tokens_MadeByManyAtOnce_AreAllThere()
    {
        Parallel.For(0, 20, i =>
        {
            using var store = Open();
            store.Add($"t{i}", Access.View);
        });
        Assert.That(_store.List(), Has.Count.EqualTo(20));
    }

    [Test]
    public void Store_WithoutAFile_KnowsNoneAndSaysWhichSetting()
    {
        using var none = new TokenStore(Options.Create(new AccessOptions()));
        Assert.That(none.Find("fl_x"), Is.Null);
        Assert.That(none.List(), Is.Empty);
        Assert.That(() => none.Add("x", Access.View), Throws.InstanceOf<LinkException>().With.Message.Contains("TokenFile"));
    }

    private TokenStore Open() => new(Options.Create(new AccessOptions { TokenFile = File }), _time);
}
