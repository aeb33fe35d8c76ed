using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Threading.Channels;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Channels;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Sessions;

[TestFixture]
[SupportedOSPlatform("linux")]
public class SideChannelsTests
{
    private const int ProcessId = 4711;

    // Only so that a failure ends; nothing waits for it when all is well.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private string _temp = "";
    private SessionNotices _notices = new(new OutputLog(new LogOptions()));
    private Channel<SessionNotice> _published = Channel.CreateUnbounded<SessionNotice>();

    [SetUp]
    public void SetUp()
    {
        _temp = Directory.CreateTempSubdirectory("side").FullName;
        _notices = new SessionNotices(new OutputLog(new LogOptions()));
        _published = Channel.CreateUnbounded<SessionNotice>();
        _notices.Follow(n => _published.Writer.TryWrite(n));
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_temp, recursive: true);

    [Test]
    public async Task Directory_IsPrivate_NamedInTheEnvironment_AndRemovedWithWhatIsInIt()
    {
        var channels = Create();
        var directory = channels.Environment["FURTHER_LINK_TEMP_DIR"];
        channels.Open(ProcessId);
        Assert.That(Path.GetDirectoryName(directory), Is.EqualTo(_temp));
        Assert.That(File.GetUnixFileMode(directory), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(
            Directory.GetFileSystemEntries(directory).Select(Path.GetFileName),
            Is.EquivalentTo(["4711.video.sock", "4711.keylisten.sock"]));

        var outside = Path.Combine(_temp, "outside");
        Directory.CreateDirectory(outside);
        await File.WriteAllTextAsync(Path.Combine(outside, "kept"), "");
        Directory.CreateDirectory(Path.Combine(directory, "a/b"));
        await File.WriteAllTextAsync(Path.Combine(directory, "a/b/file"), "");
        Directory.CreateSymbolicLink(Path.Combine(directory, "a/link"), outside);

        await channels.DisposeAsync();
        await channels.DisposeAsync();
        Assert.That(Directory.GetFileSystemEntries(_temp), Is.EqualTo([outside]));
        Assert.That(File.Exists(Path.Combine(outside, "kept")), Is.True, "a link is removed, not what it points to");
    }

    [Test]
    public async Task TempDirectory_TooLongForSockets_IsReplaced()
    {
        var deep = Path.Combine(_temp, new string('d', 100));
        await using var channels = SideChannels.Create(deep, UserAccount.Current, _notices, NullLogger.Instance);
        channels.Open(4194304);
        using var client = Connect(channels, "keylisten", 4194304);
        client.Send("a endkeylisten "u8);
        Assert.That((await NextAsync()).Body, Is.EqualTo("a"));
    }

    [Test]
    public void TempDirectory_ThatCannotBeMade_IsSaidInWords()
    {
        var file = Path.Combine(_temp, "file");
        File.WriteAllText(file, "");
        Assert.That(
            () => SideChannels.Create(file, UserAccount.Current, _notices, NullLogger.Instance),
            Throws.TypeOf<LinkException>().With.Property(nameof(LinkException.Code)).EqualTo(FailureCode.Failed).And.Message.Contains(file));
    }

    [Test]
    public async Task Messages_ArePublished_VideoAsLatest_KeysEveryOne()
    {
        await using var channels = Open();
        using var video = Connect(channels, "video");
        using var keys = Connect(channels, "keylisten");
        video.Send("frame endvideo "u8);
        Assert.That(await NextAsync() with { Time = 0 }, Is.EqualTo(new SessionNotice("video", "frame", Delivery.Latest, 0)));
        keys.Send("  endkeylisten "u8);
        Assert.That(await NextAsync() with { Time = 0 }, Is.EqualTo(new SessionNotice("keylisten", " ", Delivery.Every, 0)));
    }

    [Test]
    public async Task Connections_AreKeptApart_AndMayBeMany()
    {
        await using var channels = Open();
        using var first = Connect(channels, "video");
        first.Send("half of "u8);
        for (var i = 0; i < 100; i++)
        {
            using var other = Connect(channels, "video");
            other.Send(Encoding.UTF8.GetBytes($"{i} endvideo "));
        }
        var others = new List<object?>();
        for (var i = 0; i < 100; i++)
            others.Add((await NextAsync()).Body);
        Assert.That(others, Is.EquivalentTo(Enumerable.Range(0, 100).Select(i => i.ToString())));
        first.Send("one endvideo "u8);
        Assert.That((await NextAsync()).Body, Is.EqualTo("half of one"));
    }

    [Test]
    public async Task Terminator_WithoutSpace_IsDeliveredWhileTheConnectionStaysOpen()
    {
        await using var channels = Open();
        using var client = Connect(channels, "video");
        client.Send("a endvideo"u8);
        Assert.That((await NextAsync()).Body, Is.EqualTo("a"));
        client.Send("b endvideo"u8);
        Assert.That((await NextAsync()).Body, Is.EqualTo("b"));
    }

    [Test]
    public async Task BadBytes_DoNotEndTheConnection()
    {
        await using var channels = Open();
        using var client = Connect(channels, "video");
        client.Send([0xff, 0xfe, .. " endvideo "u8]);
        Assert.That((await NextAsync()).Body, Is.EqualTo("\ufffd\ufffd"));
        client.Send("on endvideo "u8);
        Assert.That((await NextAsync()).Body, Is.EqualTo("on"));
    }

    [Test]
    public async Task MessageOverTheLimit_IsDropped_AndTheNextIsRead()
    {
        await using var channels = Open();
        using var client = Connect(channels, "video");
        var tooLong = new byte[(16 * 1024 * 1024) + 1];
        Array.Fill(tooLong, (byte)'x');
        await client.SendAsync(tooLong);
        await client.SendAsync(" endvideo next endvideo "u8.ToArray());
        Assert.That((await NextAsync()).Body, Is.EqualTo("next"));
    }

    [Test]
    public async Task Drain_PublishesWhatLiesInTheSockets_AlsoOfConnectionsNotYetAccepted()
    {
        // Sent and closed right before the end, as by a program that exits; repeated because what is tested is a race.
        for (var round = 0; round < 50; round++)
        {
            await using var channels = Open();
            var frame = new string('f', 100_000);
            using (var client = Connect(channels, "video"))
                client.Send(Encoding.UTF8.GetBytes(frame + " endvideo last endvideo "));
            await channels.DrainAsync();
            Assert.That(Published(), Is.EqualTo([frame, "last"]), $"round {round}");
        }
    }

    [Test]
    public async Task Drain_EndsThough_AChildHoldsTheConnectionAndWritesOn()
    {
        await using var channels = Open();
        using var child = Connect(channels, "video");
        child.Send("before endvideo "u8);
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            var frame = Encoding.UTF8.GetBytes(new string('c', 10_000) + " endvideo ");
            try
            {
                while (true)
                    await child.SendAsync(frame, stop.Token);
            }
            catch (SocketException)
            {
                // The channel was closed, as it should be.
            }
        });
        await channels.DrainAsync().WaitAsync(Patience);
        await writer.WaitAsync(Patience);
        var published = Published();
        Assert.That(published.First(), Is.EqualTo("before"));
        Assert.That(published.Skip(1).Select(m => m.Length), Has.All.EqualTo(10_000));
        Assert.That(() => Connect(channels, "video"), Throws.TypeOf<SocketException>());
    }

    [Test]
    public async Task Drain_DropsWhatIsUnfinished()
    {
        await using var channels = Open();
        using var client = Connect(channels, "video");
        client.Send("whole endvideo unfinished"u8);
        await channels.DrainAsync();
        Assert.That(Published(), Is.EqualTo(["whole"]));
    }

    [Test]
    public async Task Dispose_WithOpenConnections_EndsThem()
    {
        var channels = Open();
        using var client = Connect(channels, "video");
        client.Send("seen endvideo "u8);
        await NextAsync();
        await channels.DisposeAsync();
        Assert.That(await client.ReceiveAsync(new byte[1]).WaitAsync(Patience), Is.Zero);
        Assert.That(Directory.GetFileSystemEntries(_temp), Is.Empty);
    }

    [Test]
    public async Task Cycles_LeaveNoSocketAndNoFile()
    {
        for (var i = 0; i < 300; i++)
        {
            await using var channels = Open();
            using var video = Connect(channels, "video");
            using var keys = ListenForKeys(channels);
            video.Send("frame endvideo "u8);
            await channels.SendKeyAsync(new Key("a", "keydown"), default);
            using var connection = await keys.AcceptAsync();
            await channels.DrainAsync();
        }
        Assert.That(Published(), Has.Count.EqualTo(300));
        Assert.That(Directory.GetFileSystemEntries(_temp), Is.Empty);
        Assert.That(await File.ReadAllTextAsync("/proc/net/unix"), Does.Not.Contain(_temp), "open sockets with their paths");
    }

    [Test]
    public async Task Program_ThatEmptiedItsDirectory_HarmsNobody()
    {
        await using var channels = Create();
        foreach (var entry in Directory.GetFileSystemEntries(channels.Environment["FURTHER_LINK_TEMP_DIR"]))
            File.Delete(entry);
        channels.Open(ProcessId);
        await channels.DrainAsync();
        Assert.That(Published(), Is.Empty);
    }

    [Test]
    public async Task Keys_GoOverOneConnection_InOrder()
    {
        await using var channels = Open();
        using var program = ListenForKeys(channels);
        await channels.SendKeyAsync(new Key("a", "keydown"), default);
        using var connection = await program.AcceptAsync();
        for (var i = 0; i < 100; i++)
            await channels.SendKeyAsync(new Key(" ", i.ToString()), default);
        var expected = "a keydown endkeyevent " + string.Concat(Enumerable.Range(0, 100).Select(i => $"  {i} endkeyevent "));
        Assert.That(await ReadAsync(connection, expected.Length), Is.EqualTo(expected));
    }

    [Test]
    public async Task Keys_WithNobodyListening_AreForgotten_AndLaterOnesArrive()
    {
        await using var channels = Create();
        await channels.SendKeyAsync(new Key("early", "keydown"), default);
        channels.Open(ProcessId);
        // Nobody listens; the queue is bounded, so that this many can be sent at all shows that none is kept.
        for (var i = 0; i < 10_000; i++)
            await channels.SendKeyAsync(new Key("lost", "keydown"), default);
        using var program = ListenForKeys(channels);
        var accepted = program.AcceptAsync();
        while (!accepted.IsCompleted)
        {
            await channels.SendKeyAsync(new Key("found", "keydown"), default);
            await Task.Yield();
        }
        using var connection = await accepted;
        // The queue may be full still: what is sent now is dropped until the first are read.
        var text = "";
        while (!text.Contains("last", StringComparison.Ordinal))
        {
            await channels.SendKeyAsync(new Key("last", "keyup"), default);
            text += await ReadAsync(connection, 1);
        }
        Assert.That(text, Does.Not.Contain("early"));
    }

    [Test]
    public async Task Keys_AfterTheProgramListensAnew_AreSentThere()
    {
        await using var channels = Open();
        Socket first;
        using (var program = ListenForKeys(channels))
        {
            await channels.SendKeyAsync(new Key("a", "keydown"), default);
            first = await program.AcceptAsync();
            await ReadAsync(first, "a keydown endkeyevent ".Length);
        }
        first.Dispose();
        File.Delete(SocketPath(channels, "keyevent"));
        using var again = ListenForKeys(channels);
        await channels.SendKeyAsync(new Key("b", "keyup"), default);
        using var second = await again.AcceptAsync().WaitAsync(Patience);
        Assert.That(await ReadAsync(second, "b keyup endkeyevent ".Length), Is.EqualTo("b keyup endkeyevent "));
    }

    [Test]
    public async Task Keys_ForAProgramThatDoesNotReadThem_NeverBlock_AndDisposeEnds()
    {
        var channels = Open();
        using var program = ListenForKeys(channels);
        var key = new Key(new string('k', 10_000), "keydown");
        for (var i = 0; i < 2_000; i++)
            await channels.SendKeyAsync(key, default).AsTask().WaitAsync(Patience);
        await channels.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.That(Directory.GetFileSystemEntries(_temp), Is.Empty);
    }

    [Test]
    public async Task AnotherUser_OwnsDirectoryAndSockets_AndIsSentNoKeysThroughALink()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Ignore("Only root can make another user the owner.");
        var nobody = new UserAccount("nobody", 65534, 65534, "/nonexistent", "/bin/sh");
        await using var channels = SideChannels.Create(_temp, nobody, _notices, NullLogger.Instance);
        channels.Open(ProcessId);
        var directory = channels.Environment["FURTHER_LINK_TEMP_DIR"];
        foreach (var path in Directory.GetFileSystemEntries(directory).Append(directory))
            Assert.That(await OwnerAsync(path), Is.EqualTo("65534:65534"), path);

        // A socket of root at the place of the program's own: a key sent there would be a message from root.
        using var roots = ListenForKeys(channels);
        await channels.SendKeyAsync(new Key("a", "keydown"), default);
        using var connection = await roots.AcceptAsync().WaitAsync(Patience);
        Assert.That(await connection.ReceiveAsync(new byte[1]).WaitAsync(Patience), Is.Zero);
    }

    private SideChannels Create() => SideChannels.Create(_temp, UserAccount.Current, _notices, NullLogger.Instance);

    private SideChannels Open()
    {
        var channels = Create();
        channels.Open(ProcessId);
        return channels;
    }

    private static string SocketPath(SideChannels channels, string channel, int processId = ProcessId) =>
        Path.Combine(channels.Environment["FURTHER_LINK_TEMP_DIR"], $"{processId}.{channel}.sock");

    private static Socket Connect(SideChannels channels, string channel, int processId = ProcessId)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath(channels, channel, processId)));
        return socket;
    }

    private static Socket ListenForKeys(SideChannels channels)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(SocketPath(channels, "keyevent")));
        socket.Listen(1);
        return socket;
    }

    private static async Task<string> ReadAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(at), SocketFlags.None).AsTask().WaitAsync(Patience);
            Assert.That(read, Is.Positive, "closed");
            at += read;
        }
        return Encoding.UTF8.GetString(bytes);
    }

    private static async Task<string> OwnerAsync(string path)
    {
        using var stat = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u:%g", path]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var owner = await stat.StandardOutput.ReadToEndAsync();
        await stat.WaitForExitAsync();
        return owner.Trim();
    }

    private Task<SessionNotice> NextAsync() => _published.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    private List<string> Published()
    {
        var messages = new List<string>();
        while (_published.Reader.TryRead(out var notice))
            messages.Add((string)notice.Body!);
        return messages;
    }
}
