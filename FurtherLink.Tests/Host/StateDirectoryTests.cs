using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;
using FurtherLink.Tests.Device;

namespace FurtherLink.Tests.Host;

[TestFixture]
internal sealed class StateDirectoryTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    [Test]
    public void Place_ByRule_IsTheFirstThatIsGiven()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Multiple(() =>
        {
            Assert.That(Locate("/set", "/one:/two", "/xdg"), Is.EqualTo("/set"));
            Assert.That(Locate(null, "/one:/two", "/xdg"), Is.EqualTo("/one"));
            Assert.That(Locate(null, "/one", "/xdg"), Is.EqualTo("/one"));
            Assert.That(Locate(null, "", "/xdg"), Is.EqualTo("/xdg/furtherlink"));
            Assert.That(Locate(null, null, "/xdg"), Is.EqualTo("/xdg/furtherlink"));
            Assert.That(Locate(null, null, "relative"), Is.EqualTo(home + "/.local/state/furtherlink"));
            Assert.That(Locate(null, null, ""), Is.EqualTo(home + "/.local/state/furtherlink"));
            Assert.That(Locate(null, null, null), Is.EqualTo(home + "/.local/state/furtherlink"));
        });

        static string Locate(string? setting, string? service, string? xdg) =>
            StateDirectory.Locate(setting, name => name == "STATE_DIRECTORY" ? service : name == "XDG_STATE_HOME" ? xdg : null);
    }

    [Test]
    public void Folder_Missing_IsMadePrivate()
    {
        using var folder = new TemporaryFolder();
        StateDirectory.Prepare(folder["a/b"]);
        Assert.That(File.GetUnixFileMode(folder["a/b"]), Is.EqualTo(Private));
    }

    [Test]
    public void Folder_OpenToOthers_IsClosed()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["a"], Private | UnixFileMode.OtherRead | UnixFileMode.OtherExecute | UnixFileMode.GroupRead);
        StateDirectory.Prepare(folder["a"]);
        Assert.That(File.GetUnixFileMode(folder["a"]), Is.EqualTo(Private));
    }

    [Test]
    public void Folder_OfSomethingElse_IsRefusedAndLeftAsItIs()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a/theirs", "");
        var open = Private | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(folder["a"], open);
        Assert.That(() => StateDirectory.Prepare(folder["a"]), Throws.TypeOf<SettingException>().With.Message.Contains("a folder of its own"));
        Assert.That(File.GetUnixFileMode(folder["a"]), Is.EqualTo(open));
    }

    [TestCase("chmod o+w open", "open\" can be written to by others", "chmod go-w")]
    [TestCase("chgrp daemon open && chmod g+w open", "open\" can be written to by others", "chmod go-w")]
    [TestCase("chown daemon open", "open\" belongs to another user", "chown it to")]
    [TestCase("chown daemon open/state", "state\" belongs to another user", "chown it to")]
    [TestCase("mv open there; chmod o+w there; ln -s there open", "there\" can be written to by others", "chmod go-w")]
    [TestCase("chmod 1777 open; mv open/state .; ln -s ../state open/state; chown -h daemon open/state", "state\" belongs to another user", "chown it to")]
    public void Folder_ThatOthersCanPutSomethingElseAt_IsRefused(string trick, string why, string what)
    {
        if (trick.Contains("daemon", StringComparison.Ordinal) && Environment.UserName != "root")
            Assert.Ignore("only root can give files to others, and the tests run as " + Environment.UserName);
        using var folder = new TemporaryFolder();
        StateDirectory.Prepare(folder["open/state"]);
        Assert.That(Shell.Run(folder.Path, trick), Is.Zero);
        Assert.That(() => StateDirectory.Prepare(folder["open/state"]), Throws.TypeOf<SettingException>().With.Message.Contains(why).And.Message.Contains(what).And.Message.Contains("--state-dir"));
    }

    [TestCase("chmod 1777 open", Description = "as /tmp")]
    [TestCase("mv open there; ln -s there open")]
    [TestCase("chmod g+w open", Description = "the group of its owner alone")]
    public void Folder_ThatOthersCanOnlySee_IsTaken(string change)
    {
        using var folder = new TemporaryFolder();
        StateDirectory.Prepare(folder["open/state"]);
        Assert.That(Shell.Run(folder.Path, change), Is.Zero);
        Assert.That(() => StateDirectory.Prepare(folder["open/state"]), Throws.Nothing);
    }

    [Test]
    public void Folder_ThatCannotBe_IsReportedInWords()
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", "");
        Assert.That(() => StateDirectory.Prepare(folder["file/state"]), Throws.TypeOf<SettingException>().With.Message.StartsWith("StateDirectory: "));
    }
}
