using System.Net;
using System.Net.WebSockets;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.WebSockets.Admission;

internal sealed class LoginTests : GateFixture
{
    [TestCase("""{"token":"view"}""", """{"name":"phone","access":"view"}""")]
    [TestCase("""{"x":[{}],"user":"ann","password":"pa:ss"}""", """{"name":"ann","access":"own"}""")]
    public async Task Login_Right_GivesACookieForThisHostAlone(string body, string answer)
    {
        await StartAsync();
        using var response = await PostAsync("/login", body, $"Origin: http://127.0.0.1:{App.Port}");
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(answer));
        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        Assert.That(cookie, Does.Match("^__Host-furtherlink=[-_A-Za-z0-9]{43}; max-age=43200; path=/; secure; samesite=strict; httponly$"));
        Assert.That(await StatusAsync("/watch", Cookie(response), "Sec-Fetch-Site: same-origin"), Is.EqualTo(200));
    }

    [TestCase("""{"token":"wrong"}""", 401)]
    [TestCase("""{"token":"often"}""", 429)]
    [TestCase("""{"user":"ann"}""", 400)]
    [TestCase("""{"token":"view","user":"ann","password":"pa:ss"}""", 400)]
    [TestCase("""{"token":1}""", 400)]
    [TestCase("[]", 400)]
    [TestCase("", 400)]
    [TestCase("""{"token":"view" """, 400)]
    [TestCase("""{"token":"view"}{}""", 400)]
    public async Task Login_Wrong_GivesNone(string body, int status)
    {
        await StartAsync();
        using var response = await PostAsync("/login", body);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(response.Headers.Contains("Set-Cookie"), Is.False);
    }

    [Test]
    public async Task Login_OfAForm_IsRefused()
    {
        await StartAsync();
        using var form = await App.Http.PostAsync("/login", new FormUrlEncodedContent([new("token", "view")]));
        Assert.That(form.StatusCode, Is.EqualTo(HttpStatusCode.UnsupportedMediaType));
        using var large = await PostAsync("/login", $$"""{"token":"{{new string('x', 20_000)}}"}""");
        Assert.That(large.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Logout_EndsTheCookieAndWhatItHasOpened()
    {
        await StartAsync();
        var cookie = await LoginAsync();
        using var socket = await App.ConnectAsync("/run", options => options.SetRequestHeader("Cookie", cookie[8..]));
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, default);
        await socket.ReceiveAsync(new byte[1], default);
        var ended = Server.Connection!.Grant.Ended;
        Assert.That(ended.IsCancellationRequested, Is.False);

        using var response = await PostAsync("/logout", "", cookie);
        Assert.That((int)response.StatusCode, Is.EqualTo(204));
        Assert.That(response.Headers.GetValues("Set-Cookie").Single(), Does.Contain("max-age=0"));
        Assert.That(ended.IsCancellationRequested);
        Assert.That(await StatusAsync("/watch", cookie), Is.EqualTo(401));
    }

    [Test]
    public async Task Cookie_OlderThanItsLifetime_CountsNoMore()
    {
        var time = new ManualTimeProvider();
        await StartAsync(transport => transport.LoginLifetime = TimeSpan.FromMinutes(5), time);
        var cookie = await LoginAsync();
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.That(await StatusAsync("/watch", cookie), Is.EqualTo(200));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.That(await StatusAsync("/watch", cookie), Is.EqualTo(401));
    }

    [Test]
    public async Task Cookie_OfATokenThatIsRevoked_CountsNoMore()
    {
        await StartAsync();
        var cookie = await LoginAsync();
        Assert.That(await StatusAsync("/watch", cookie), Is.EqualTo(200));
        Tokens.End();
        Assert.That(await StatusAsync("/watch", cookie), Is.EqualTo(401));
    }

    [Test]
    public async Task Cookies_OfOne_EndWithTheOldest()
    {
        await StartAsync();
        var first = await LoginAsync();
        var second = await LoginAsync();
        for (var i = 0; i < 19; i++)
            await LoginAsync();
        Assert.That(await StatusAsync("/watch", first), Is.EqualTo(401));
        Assert.That(await StatusAsync("/watch", second), Is.EqualTo(200));
    }

    private async Task<string> LoginAsync()
    {
        using var response = await PostAsync("/login", """{"token":"view"}""");
        return Cookie(response);
    }

    private static string Cookie(HttpResponseMessage response) => "Cookie: " + response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
}
