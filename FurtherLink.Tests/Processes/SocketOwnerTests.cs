using System.Net;
using System.Net.Sockets;
using FurtherLink.Processes;
using FurtherLink.Tests.Host;

namespace FurtherLink.Tests.Processes;

[TestFixture]
internal sealed class SocketOwnerTests
{
    private const string Header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    private const string Rest = "00000000:00000000 00:00000000 00000000 ";

    private static readonly IPEndPoint Theirs = new(IPAddress.Loopback, 0xA000);
    private static readonly IPEndPoint Ours = new(IPAddress.Loopback, 8028);

    [TestCase("127.0.0.1", "127.0.0.1", "127.0.0.1")]
    [TestCase("::1", "::1", "::1")]
    [TestCase("::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1")]
    public async Task Find_ARealConnection_IsThisUsers(string listen, string connect, string seen)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        listener.Bind(new IPEndPoint(IPAddress.Parse(listen).MapToIPv6(), 0));
        listener.Listen();
        using var client = connect.Contains(':', StringComparison.Ordinal) ? new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true } : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Parse(connect), ((IPEndPoint)listener.LocalEndPoint!).Port);
        using var server = await listener.AcceptAsync();
        var theirs = new IPEndPoint(IPAddress.Parse(seen), ((IPEndPoint)client.LocalEndPoint!).Port);
        var ours = new IPEndPoint(IPAddress.Parse(seen), ((IPEndPoint)listener.LocalEndPoint!).Port);
        foreach (var find in new Func<IPEndPoint, IPEndPoint, uint?>[] { SocketOwner.Find, Ask, (one, other) => SocketOwner.Search(one, other, "/proc/net") })
        {
            Assert.That(find(theirs, ours), Is.EqualTo(UserAccount.Current.Uid));
            Assert.That(find(new IPEndPoint(theirs.Address, theirs.Port ^ 1), ours), Is.Null);
            Assert.That(find(new IPEndPoint(theirs.Address, 1), ours), Is.Null);
        }

        client.Close();
        await server.ReceiveAsync(new byte[1]);
        Assert.That(SocketOwner.Find(theirs, ours), Is.Null, "whose it was is lost when it closes");

        uint? Ask(IPEndPoint one, IPEndPoint other) => SocketOwner.Ask(theirs, ours) is null ? SocketOwner.Find(one, other) : SocketOwner.Ask(one, other);
    }

    [TestCase("0100007F:A000 0100007F:1F5C 01", 1000u)]
    [TestCase("0100007F:A000 0100007F:1F5C 06", null, Description = "TIME_WAIT: the id is lost")]
    [TestCase("0100007F:A000 0100007F:1F5C 05", null)]
    [TestCase("0100007F:1F5C 0100007F:A000 01", null, Description = "this server's own end")]
    [TestCase("0100007F:A001 0100007F:1F5C 01", null)]
    [TestCase("0200007F:A000 0100007F:1F5C 01", null)]
    public void Find_InAList_IsTheLineOfTheOtherEndConnected(string line, uint? uid)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tcp", $"{Header}   0: 0100007F:1F5C 00000000:0000 0A {Rest}    0        0 1\n   1: {line} {Rest} 1000        0 2\n");
        Assert.That(SocketOwner.Search(Theirs, Ours, folder.Path), Is.EqualTo(uid));
    }

    [Test]
    public void Find_InAListOfIpv6_TakesTheFormOfIpv4Too()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tcp6", $"{Header}   0: 0000000000000000FFFF00000100007F:A000 0000000000000000FFFF00000100007F:1F5C 01 {Rest} 1001        0 2\n");
        Assert.That(SocketOwner.Search(Theirs, Ours, folder.Path), Is.EqualTo(1001));
    }

    [Test]
    public void Find_AtTheEndOfALongList_ReadsOnOverItsBuffers()
    {
        using var folder = new TemporaryFolder();
        for (var before = 1990; before < 2010; before++)
        {
            var others = string.Concat(Enumerable.Range(0, before).Select(i => $"{i,4}: 0100007F:0001 0100007F:1F5C 01 {Rest}    7        0 {i}\n"));
            folder.Write("tcp", $"{Header}{others}   x: 0100007F:A000 0100007F:1F5C 01 {Rest} 1002        0 2\n");
            Assert.That(SocketOwner.Search(Theirs, Ours, folder.Path), Is.EqualTo(1002));
        }
    }

    [Test]
    public void Find_NoLists_IsNobody()
    {
        using var folder = new TemporaryFolder();
        Assert.That(SocketOwner.Search(Theirs, Ours, folder.Path), Is.Null);
    }
}
