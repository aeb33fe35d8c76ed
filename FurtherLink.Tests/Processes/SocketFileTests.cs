using System.Net.Sockets;
using FurtherLink.Processes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SocketFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["link.sock"];

    public void Dispose() => _folder.Dispose();

    [Test]
    public void Listen_NewPath_IsOfItsUserAloneAndGoesWithIt()
    {
        using (var file = SocketFile.Listen(Path))
        {
            Assert.That(File.GetUnixFileMode(Path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.EqualTo(new[] { Path }), "nothing else is left");
            Connect();
        }

        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.Empty);
    }

    [Test]
    public void Listen_AnotherServerIsThere_IsRefusedAndLeavesIt()
    {
        using var first = SocketFile.Listen(Path);
        Assert.That(() => SocketFile.Listen(Path), Throws.InstanceOf<IOException>().With.Message.EqualTo($"another server listens on {Path}"));
        Connect();
        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.EqualTo(new[] { Path }));
    }

    [Test]
    public void Listen_AnotherServerThatAcceptsNobody_IsRefused()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path));
        socket.Listen(0);
        using var waiting = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        waiting.Connect(new UnixDomainSocketEndPoint(Path));
        Assert.That(() => SocketFile.Listen(Path), Throws.InstanceOf<IOException>().With.Message.Contains("another server"));
    }

    [Test]
    public void Listen_ServerThatWasThereHasDied_TakesItsPlace()
    {
        LeaveDeadSocket();
        using var file = SocketFile.Listen(Path);
        Connect();
        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.EqualTo(new[] { Path }));
    }

    [Test]
    public async Task Listen_ManyAtOnceAfterADeadServer_OneHasIt()
    {
        for (var round = 0; round < 20; round++)
        {
            LeaveDeadSocket();
            var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(TryListen))).WaitAsync(Patience.Long);
            var had = all.OfType<SocketFile>().ToList();
            Assert.That(had, Has.Count.EqualTo(1), $"round {round}");
            Connect();
            had[0].Dispose();
            Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.Empty);
        }
    }

    [Test]
    public void Listen_SomethingElseIsThere_IsRefusedAndLeavesIt([Values("file", "directory", "link")] string what)
    {
        switch (what)
        {
            case "file":
                File.WriteAllText(Path, "");
                break;
            case "directory":
                Directory.CreateDirectory(Path);
                break;
            default:
                File.CreateSymbolicLink(Path, "/dev/null");
                break;
        }

        Assert.That(() => SocketFile.Listen(Path), Throws.InstanceOf<IOException>().With.Message.EqualTo($"{Path} is there already and is no socket"));
        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.EqualTo(new[] { Path }));
    }

    [Test]
    public void Listen_PathTooLong_IsRefusedInWords()
    {
        var path = _folder[new string('x', 108 - _folder.Path.Length - 1)];
        Assert.That(() => SocketFile.Listen(path), Throws.InstanceOf<IOException>().With.Message.EqualTo($"the path of a socket may have 107 bytes: {path} has 108"));
        using var fits = SocketFile.Listen(path[..^1]);
        Assert.That(File.Exists(path[..^1]));
    }

    [Test]
    public void Listen_NoSuchDirectory_IsRefusedInWords() =>
        Assert.That(() => SocketFile.Listen(_folder["no/such"]), Throws.InstanceOf<IOException>().With.Message.EqualTo($"there is no directory {_folder["no"]}"));

    private SocketFile? TryListen()
    {
        try
        {
            return SocketFile.Listen(Path);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Connect()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Path));
    }

    private void LeaveDeadSocket()
    {
        // .NET removes the path that a socket was bound to when it is closed, but not another name of it.
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder["first"]));
        socket.Listen();
        File.Move(_folder["first"], Path);
    }
}
