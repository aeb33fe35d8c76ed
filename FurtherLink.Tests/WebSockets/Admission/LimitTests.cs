using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.WebSockets;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.WebSockets.Admission;

internal sealed class LimitTests : GateFixture
{
    [Test]
    public async Task Connections_MoreThanAnAddressMayHave_AreRefusedUntilOneGoes()
    {
        await StartAsync(transport => transport.MaxConnections = 2);
        using var first = await App.ConnectAsync();
        using (await App.ConnectAsync())
        {
            using var response = await AskAsync("/status");
            Assert.That((int)response.StatusCode, Is.EqualTo(429));
            Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("MaxConnections"));
            Assert.That(response.Headers.RetryAfter, Is.Null, "nobody knows when one goes");
            Assert.That(async () => await App.ConnectAsync(), Throws.InstanceOf<WebSocketException>().With.Message.Contains("429"));
        }

        while (await StatusAsync("/status") != 200)
            await Task.Yield();
        Assert.That(first.State, Is.EqualTo(WebSocketState.Open));
    }

    [Test]
    public async Task Connections_OfWhomNobodyIsKnown_AreATenth()
    {
        await StartAsync(transport =>
        {
            transport.MaxConnections = 20;
            transport.LoopbackAccess = false;
        });
        using var first = await App.ConnectAsync();
        using var second = await App.ConnectAsync();
        await EchoAsync(second);
        Assert.That(async () => await App.ConnectAsync(), Throws.InstanceOf<WebSocketException>().With.Message.Contains("429"));
        using var known = await App.ConnectAsync("/run", options => options.SetRequestHeader("Authorization", "Bearer view"));
        Assert.That(known.State, Is.EqualTo(WebSocketState.Open));
        Assert.That(await StatusAsync("/watch"), Is.EqualTo(401), "what needs somebody known says that");
    }

    [Test]
    public async Task Connections_OfWhomSomebodyIsKnownLater_MakeRoom()
    {
        await StartAsync(transport =>
        {
            transport.MaxConnections = 10;
            transport.LoopbackAccess = false;
        });
        using var first = await App.ConnectAsync();
        await EchoAsync(first);
        Assert.That(async () => await App.ConnectAsync(), Throws.InstanceOf<WebSocketException>().With.Message.Contains("429"));
        Server.Connection!.Become(Rights.Grant("x", Access.View));
        using var second = await App.ConnectAsync();
        Assert.That(second.State, Is.EqualTo(WebSocketState.Open));
    }

    [TestCase("127.0.0.1", "127.0.0.1", 2000)]
    [TestCase("192.0.2.1", "::ffff:192.0.2.1", 100)]
    [TestCase("2001:db8::1", "2001:db8:0:0:ffff::2", 100)]
    public void Limit_NotSet_IsByAddress(string one, string same, int most)
    {
        var limit = new AddressLimit(Options.Create(new WebSocketLinkOptions()), spare: 0);
        for (var i = 0; i < most; i++)
            Assert.That(limit.TryEnter(IPAddress.Parse(i % 2 == 0 ? one : same), null, out _), Is.Not.Null);
        Assert.That(limit.TryEnter(IPAddress.Parse(same), null, out _), Is.Null);
        Assert.That(limit.TryEnter(IPAddress.Parse("2001:db8:0:1::1"), null, out _), Is.Not.Null);
        Assert.That(limit.TryEnter(null, null, out _), Is.Not.Null);
    }

    [Test]
    public void Limit_OnThisDevice_IsByUser()
    {
        var limit = new AddressLimit(Options.Create(new WebSocketLinkOptions { MaxConnections = 4 }), spare: 0);
        foreach (var address in new[] { "127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1" })
            Assert.That(limit.TryEnter(IPAddress.Parse(address), 1000, out _), Is.Not.Null);
        Assert.That(limit.TryEnter(IPAddress.Parse("127.0.0.3"), 1000, out _), Is.Null, "whichever of its addresses");
        Assert.That(limit.TryEnter(IPAddress.Parse("127.0.0.1"), 0, out _), Is.Not.Null, "another user has a number of its own");
    }

    [Test]
    public void Limit_OfAllTogether_LeavesRoomForEachUserOfThisDevice()
    {
        var limit = new AddressLimit(Options.Create(new WebSocketLinkOptions { MaxTotalConnections = 3 }), spare: 0);
        using var first = limit.TryEnter(IPAddress.Parse("192.0.2.1"), null, out _);
        for (var i = 2; i < 4; i++)
            Assert.That(limit.TryEnter(IPAddress.Parse($"192.0.2.{i}"), null, out _), Is.Not.Null);
        Assert.That(limit.TryEnter(IPAddress.Parse("192.0.2.4"), null, out var refusal), Is.Null);
        Assert.That(refusal, Has.Property("Status").EqualTo(503).And.Property("Reason").Contains("MaxTotalConnections"));
        foreach (var user in new uint?[] { 0, 1000, null })
        {
            for (var i = 0; i < 20; i++)
                Assert.That(limit.TryEnter(IPAddress.Loopback, user, out _), Is.Not.Null);
            Assert.That(limit.TryEnter(IPAddress.Loopback, user, out _), Is.Null, "the 21st");
        }
    }

    [Test]
    public async Task Connections_MoreThanAllMayHave_AreRefusedUntilOneGoes()
    {
        await StartAsync(transport => transport.MaxTotalConnections = 20);
        var sockets = new List<ClientWebSocket>();
        for (var i = 0; i < 20; i++)
            sockets.Add(await App.ConnectAsync());
        using (var response = await AskAsync("/status"))
        {
            Assert.That((int)response.StatusCode, Is.EqualTo(503));
            Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("MaxTotalConnections"));
        }

        sockets[0].Dispose();
        while (await StatusAsync("/status") != 200)
            await Task.Yield();
        sockets.ForEach(static socket => socket.Dispose());
    }

    [Test]
    public async Task Wait_ThatIsKnown_IsToldInSeconds()
    {
        await StartAsync();
        using var response = await AskAsync("/watch", "Authorization: Bearer often");
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(7)), "6.1 s");
    }

    [TestCase("/login")]
    [TestCase("/pair")]
    public async Task Credentials_ThatAreHandedInSlowly_LeaveRoomForThoseWhoAreKnown(string path)
    {
        await StartAsync(transport =>
        {
            transport.MaxConnections = 20;
            transport.LoopbackAccess = false;
        });
        var half = Enumerable.Range(0, 2).Select(_ => new HalfRequest()).ToList();
        var answers = half.Select(body => PostAsync(path, body)).ToList();
        await Task.WhenAll(half.Select(static body => body.Begun.Task)).WaitAsync(Patience.Long);
        // What they have sent may be read a little later than what is sent behind it.
        var status = 0;
        for (var tries = 0; status != 429 && tries < 1000; tries++)
        {
            using var third = await PostAsync(path, new StringContent("{}", Encoding.UTF8, "application/json"));
            status = (int)third.StatusCode;
        }

        Assert.That(status, Is.EqualTo(429));
        Assert.That(await StatusAsync("/watch", "Authorization: Bearer view"), Is.EqualTo(200));
        half.ForEach(static body => body.Rest.SetResult());
        foreach (var answer in answers)
            (await answer.WaitAsync(Patience.Long)).Dispose();
    }

    private Task<HttpResponseMessage> PostAsync(string path, HttpContent body) => App.Http.PostAsync(path, body);

    /// <summary>A body that has begun, and goes on when it is told to.</summary>
    private sealed class HalfRequest : HttpContent
    {
        public HalfRequest() => Headers.ContentType = new MediaTypeHeaderValue("application/json");

        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Rest { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{"u8.ToArray());
            await stream.FlushAsync();
            Begun.SetResult();
            await Rest.Task;
            await stream.WriteAsync("}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 2;
            return true;
        }
    }

    private static async Task EchoAsync(ClientWebSocket socket)
    {
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, default);
        await socket.ReceiveAsync(new byte[1], default).WaitAsync(Patience.Long);
    }
}
