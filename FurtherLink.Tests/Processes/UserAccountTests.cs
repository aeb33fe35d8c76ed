using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class UserAccountTests
{
    private string _directory = "";

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("fl-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task TryFind_Everybody_IsAsInPasswd()
    {
        foreach (var line in await File.ReadAllLinesAsync("/etc/passwd"))
        {
            var fields = line.Split(':');
            Assert.That(
                UserAccount.TryFind(fields[0]),
                Is.EqualTo(new UserAccount(fields[0], uint.Parse(fields[2]), uint.Parse(fields[3]), fields[5], fields[6])));
        }
    }

    [TestCase("")]
    [TestCase("no such user")]
    [TestCase("root\0")]
    public void TryFind_Nobody_IsNull(string name) => Assert.That(UserAccount.TryFind(name), Is.Null);

    [Test]
    public void Groups_OfAUser_HoldThePrimaryOne() => Assert.That(UserAccount.TryFind("daemon")!.Groups, Does.Contain(1u));

    [Test]
    public void FindDefault_Setting_Wins() => Assert.That(UserAccount.FindDefault("daemon").Name, Is.EqualTo("daemon"));

    [Test]
    public void FindDefault_SettingOfNobody_SaysSo() =>
        Assert.That(() => UserAccount.FindDefault("no such user"), Throws.InstanceOf<LinkException>().With.Message.Contains("no such user"));

    [TestCase(null)]
    [TestCase("")]
    public void FindDefault_NoSetting_IsTheXUserOrPiOrOneself(string? setting)
    {
        var expected = UserAccount.Current.Uid != 0 ? UserAccount.Current
            : (XDisplay.FindFirst() is { } display && XDisplay.FindUser(display) is { } name ? UserAccount.TryFind(name) : null)
                ?? UserAccount.TryFind("pi") ?? UserAccount.Current;
        Assert.That(UserAccount.FindDefault(setting), Is.EqualTo(expected));
    }

    [Test]
    public void FindFirst_Sockets_IsTheLowestNumber()
    {
        foreach (var name in new[] { "X10", "X2", "Xother", "other" })
            File.WriteAllText(Path.Combine(_directory, name), "");
        Assert.That(XDisplay.FindFirst(_directory), Is.EqualTo(":2"));
    }

    [Test]
    public void FindFirst_None_IsNull() =>
        Assert.That((XDisplay.FindFirst(_directory), XDisplay.FindFirst(_directory + "/none")), Is.EqualTo(((string?)null, (string?)null)));

    [TestCase(":0", "ann")]
    [TestCase(":1", "bob")]
    [TestCase(":3", null)]
    [TestCase(":4", null)]
    public void FindUser_LoginRecords_IsWhoSitsThere(string display, string? expected)
    {
        byte[] records =
        [
            .. Record(2, "~", "reboot", "6.1.0"),
            .. Record(7, "pts/0", "joe", "192.0.2.1"),
            .. Record(7, "tty7", "ann", ":0"),
            .. Record(7, ":1", "bob", ""),
            .. Record(8, "tty8", "gone", ":3"),
            .. Record(7, "tty9", "cut off", ":4")[..100],
        ];
        var file = Path.Combine(_directory, "utmp");
        File.WriteAllBytes(file, records);
        Assert.That(XDisplay.FindUser(display, file), Is.EqualTo(expected));
    }

    [Test]
    public void FindUser_NoRecords_IsNull() => Assert.That(XDisplay.FindUser(":0", _directory + "/none"), Is.Null);

    private static byte[] Record(short type, string line, string user, string host)
    {
        var record = new byte[RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 400 : 384];
        BinaryPrimitives.WriteInt16LittleEndian(record, type);
        Encoding.UTF8.GetBytes(line, record.AsSpan(8, 32));
        Encoding.UTF8.GetBytes(user, record.AsSpan(44, 32));
        Encoding.UTF8.GetBytes(host, record.AsSpan(76, 256));
        return record;
    }
}
