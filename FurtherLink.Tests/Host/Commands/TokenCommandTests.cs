using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Host.Commands;

/// <summary>Tokens are made with what their options say, kept where they say, and let in.</summary>
[TestFixture]
internal sealed class TokenCommandTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Add_WithItsOptions_MakesWhatTheySay()
    {
        var before = DateTimeOffset.UtcNow;
        Assert.That((await HostProcess.RunAsync(
            _folder.Path, "token add phone --role view --as-user root --as-user nobody --own-sessions-only --expires 12h --tokens other.json")).Code, Is.Zero);
        Assert.That((await HostProcess.RunAsync(_folder.Path, "token add plain --tokens other.json")).Code, Is.Zero);
        Assert.That(File.Exists(_folder["state/furtherlink/tokens.json"]), Is.False);

        using var store = new TokenStore(Options.Create(new AccessOptions { TokenFile = _folder["other.json"] }));
        var (phone, plain) = (store.List()[0], store.List()[1]);
        Assert.That((phone.Name, phone.Access, phone.SeesOthers), Is.EqualTo(("phone", Access.View, false)));
        Assert.That(phone.Users, Is.EqualTo(new[] { "root", "nobody" }));
        Assert.That(phone.Expires, Is.InRange(before.AddHours(12), DateTimeOffset.UtcNow.AddHours(12)));
        Assert.That((plain.Name, plain.Access, plain.SeesOthers, plain.Users, plain.Expires), Is.EqualTo(("plain", Access.Drive, true, (object?)null, (object?)null)));

        var list = await HostProcess.RunAsync(_folder.Path, "token list --tokens other.json");
        Assert.That(list.Output, Does.Match("phone +view +root,nobody +its own sessions").And.Match("plain +drive +any +all sessions .* never"));
    }

    [TestCase("--as-user nobody-of-this-name", "--as-user: \"nobody-of-this-name\"")]
    [TestCase("--expires yesterday", "--expires: \"yesterday\" must be a time to come")]
    [TestCase("--expires 2020-01-31", "--expires: \"2020-01-31\" must be a time to come")]
    [TestCase("--role root", "'root'")]
    public async Task Add_WithAnOptionThatMakesNoSense_MakesNone(string option, string why)
    {
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, $"token add phone {option} --tokens other.json");
        Assert.That((code, output), Is.EqualTo((2, "")));
        Assert.That(errors, Does.Contain(why));
        Assert.That(File.Exists(_folder["other.json"]), Is.False);
    }

    [Test]
    public async Task Run_WithATokenFile_IsLetIn()
    {
        _folder.Write("token", (await HostProcess.RunAsync(_folder.Path, "token add phone")).Output);
        await using var host = await HostProcess.ServeAsync(_folder.Path, "serve --port 0 --no-tls", new Dictionary<string, string?> { ["FurtherLink__LoopbackAccess"] = "false" });
        var run = $"run --device ws://127.0.0.1:{host.Address.Port}";
        Assert.That((await HostProcess.RunAsync(_folder.Path, $"{run} --token-file token -- echo in")).Output, Is.EqualTo("in\n"));
        Assert.That((await HostProcess.RunAsync(_folder.Path, $"{run} -- echo in")).Errors, Does.Contain("say who you are"));
    }
}
