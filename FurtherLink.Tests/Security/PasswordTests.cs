using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Passwords;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Security;

/// <summary>People are let in by the passwords of a file that htpasswd has written, and by no others.</summary>
[TestFixture]
internal sealed class PasswordTests
{
    // Made by crypt(3) of libxcrypt, cost 4: "secret", and 80 times "x", of which bcrypt takes 72.
    private const string Secret = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    private const string Long = "$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";

    private static readonly Caller Phone = new("192.0.2.1", IsLocal: false);

    private TemporaryFolder _folder = null!;
    private ManualTimeProvider _time = null!;

    private string File => _folder["passwords"];

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _time = new ManualTimeProvider();
        Write($"# people\n\nann:{Secret}\n");
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Password_OfTheFile_LetsIn()
    {
        using var store = Open(Access.View);
        var grant = await FindAsync(store, "ann", "secret");
        Assert.That((grant.Name, grant.Id, grant.Access, grant.Users), Is.EqualTo(("ann", "password:ann", Access.View, (string[]?)null)));
        Assert.That(await FindAsync(store, "ann", "secret"), Is.SameAs(grant), "again");
    }

    [TestCase("ann", "Secret")]
    [TestCase("ann", "")]
    [TestCase("ann", "secret\0")]
    [TestCase("ann", "secret ")]
    [TestCase("Ann", "secret")]
    [TestCase("bob", "secret")]
    [TestCase("", "")]
    [TestCase("ann:x", "secret")]
    public void Password_ThatIsWrong_LetsNobodyIn(string user, string password)
    {
        using var store = Open();
        Assert.That(() => FindAsync(store, user, password), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Unauthenticated)
            .And.Message.EqualTo("this name with this password counts for nothing here"));
    }

    [Test]
    public async Task Password_LongerThanBcryptTakes_CountsAsTheSystemHasIt()
    {
        Write($"ann:{Long}\n");
        using var store = Open();
        Assert.That((await FindAsync(store, "ann", new string('x', 80))).Name, Is.EqualTo("ann"));
        Assert.That(() => FindAsync(store, "ann", new string('x', 71)), Throws.InstanceOf<LinkException>());
        Assert.That(() => FindAsync(store, "ann", new string('x', 2000)), Throws.InstanceOf<LinkException>());
    }

    [Test]
    public async Task File_ThatChanges_CountsAtOnceAndEndsWhoIsThere()
    {
        Write($"ann:{Secret}\nbob:{Secret}\n");
        using var store = Open();
        var ann = await FindAsync(store, "ann", "secret");
        var bob = await FindAsync(store, "bob", "secret");
        Write($"bob:{Secret}\ncarl:{Secret}\n");
        Assert.That((await FindAsync(store, "carl", "secret")).Name, Is.EqualTo("carl"));
        Assert.That((ann.Ended.IsCancellationRequested, bob.Ended.IsCancellationRequested), Is.EqualTo((true, false)));
        Assert.That(() => FindAsync(store, "ann", "secret"), Throws.InstanceOf<LinkException>());
        System.IO.File.Delete(File);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(bob.Ended.IsCancellationRequested, Is.True, "looked at by itself");
    }

    [Test]
    public async Task Tries_ThatFail_AreLimitedByAddress_AndThoseThatDoNotAreNot()
    {
        using var store = Open();
        for (var i = 0; i < 10; i++)
            await FindAsync(store, "ann", "secret");
        for (var i = 0; i < 3; i++)
            Assert.That(() => FindAsync(store, "ann", $"wrong {i}"), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Unauthenticated));
        Assert.That(() => FindAsync(store, "ann", "wrong"), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Limited));
        Assert.That((await FindAsync(store, "ann", "secret")).Name, Is.EqualTo("ann"), "who was in before");
        Assert.That(() => store.FindAsync(new PasswordCredentials("ann", "wrong"), new Caller("192.0.2.2", false), default).AsTask(), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Unauthenticated));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(() => FindAsync(store, "ann", "wrong"), Throws.InstanceOf<LinkException>().With.Property("Code").EqualTo(FailureCode.Unauthenticated));
    }

    [Test]
    public async Task Password_ShownByManyAtOnce_IsLookedAtOnceAndLetsAllIn()
    {
        var looked = 0;
        using var gate = new ManualResetEventSlim();
        using var store = Open(verify: (_, _) =>
        {
            looked++;
            return gate.Wait(Patience.Long);
        });
        var shown = Enumerable.Range(0, 50).Select(_ => FindAsync(store, "ann", "secret")).ToList();
        gate.Set();
        var grants = await Task.WhenAll(shown);
        Assert.That((grants.Distinct().Count(), looked), Is.EqualTo((1, 1)));
    }

    [Test]
    public void Name_ThatIsNotThere_CostsTheWorkOfOneThatIs()
    {
        var hashes = new List<string>();
        using var store = Open(verify: (_, hash) =>
        {
            hashes.Add(hash);
            return true;
        });
        Assert.That(() => FindAsync(store, "nobody", "wrong"), Throws.InstanceOf<LinkException>(), "whatever comes out");
        Assert.That(() => FindAsync(store, "ann", "wrong"), Throws.Nothing);
        Assert.That(hashes.Select(Bcrypt.CostOf), Is.EqualTo(new[] { 4, 4 }));
    }

    [TestCase("ann:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", 384, "line 1: the password of \"ann\" is not hashed by bcrypt with a cost of 4 to 17; set it anew: htpasswd -B ")]
    [TestCase("ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", 384, "htpasswd -B")]
    [TestCase("ann:secret", 384, "htpasswd -B")]
    [TestCase("ann:$2y$31$abcdefghijklmnopqrstuuC4cJqTNhzLL5sAlaKRoejaqS1bAaRTG", 384, "a cost of 4 to 17")]
    [TestCase("ann", 384, "line 1: must be NAME:HASH")]
    [TestCase(":" + Secret, 384, "line 1: must be NAME:HASH")]
    [TestCase("ann:" + Secret + "\nann:" + Secret, 384, "line 2: there is another \"ann\" above")]
    [TestCase("ann:" + Secret, 0b110_100_100, "chmod 640")]
    [TestCase("ann:" + Secret, 0b110_110_000, "chmod 640")]
    public void File_ThatCannotBeUsed_IsSaidAndLetsNobodyIn(string text, int mode, string why)
    {
        Write(text);
        System.IO.File.SetUnixFileMode(File, (UnixFileMode)mode);
        var faults = new AccessOptions { PasswordFile = File }.FindFaults();
        Assert.That(faults, Has.Count.EqualTo(1));
        Assert.That(faults[0], Does.StartWith("PasswordFile: ").And.Contains(why));
        Assert.That(faults[0], Does.Not.Contain("abcdefghijkl").And.Not.Contain("HqJZ").And.Not.Contain("5en6").And.Not.Contain("secret"));
        using var store = Open();
        Assert.That(() => FindAsync(store, "ann", "secret"), Throws.InstanceOf<LinkException>());
    }

    [Test]
    public void File_InAnotherEncoding_IsSaidAndLetsNobodyIn()
    {
        // Names in Latin-1 would all become the same one.
        System.IO.File.WriteAllBytes(File, [.. "caf"u8, 0xE9, .. Encoding.ASCII.GetBytes(":" + Secret + "\n")]);
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.That(new AccessOptions { PasswordFile = File }.FindFaults(), Is.EqualTo(new[] { $"PasswordFile: \"{File}\" is not written in UTF-8" }));
        using var store = Open();
        Assert.That(() => FindAsync(store, "caf\ufffd", "secret"), Throws.InstanceOf<LinkException>());
    }

    [Test]
    public void File_ThatIsNotThere_IsSaid() =>
        Assert.That(new AccessOptions { PasswordFile = _folder["none"] }.FindFaults(), Is.EqualTo(new[] { $"PasswordFile: \"{_folder["none"]}\" cannot be read: Could not find file '{_folder["none"]}'." }));

    [Test]
    public void Store_WithoutAFile_KnowsNobody()
    {
        using var store = new PasswordStore(new LoginLimiter(3, _time), Options.Create(new AccessOptions()), _time);
        Assert.That(() => FindAsync(store, "ann", "secret"), Throws.InstanceOf<LinkException>());
    }

    private static Task<Grant> FindAsync(PasswordStore store, string user, string password) =>
        store.FindAsync(new PasswordCredentials(user, password), Phone, CancellationToken.None).AsTask();

    private PasswordStore Open(Access access = Access.Drive, Func<string, string, bool>? verify = null) =>
        new(new LoginLimiter(3, _time), Options.Create(new AccessOptions { PasswordFile = File, PasswordAccess = access }), _time, verify: verify);

    private void Write(string text)
    {
        System.IO.File.WriteAllText(File, text);
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
