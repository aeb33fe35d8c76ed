using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Pairing;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.WebSockets.Admission;

[TestFixture]
internal sealed class PairTests
{
    [Test]
    public async Task Pair_WithTheCodeOnce_GivesATokenThatLetsIn()
    {
        using var folder = new TemporaryFolder();
        await using var host = new TestHost(builder => builder.Services.Configure<AccessOptions>(access => access.TokenFile = folder["tokens.json"]));
        using var http = new HttpClient { BaseAddress = await host.ListenAsync("http") };
        var window = host.Get<PairingDesk>().Open(new TokenTerms(Access.View));

        using var wrong = await PostAsync(http, """{"code":"0","name":"phone"}""");
        Assert.That(wrong.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        using var incomplete = await PostAsync(http, $$"""{"code":"{{window.Code}}"}""");
        Assert.That(incomplete.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));

        using var right = await PostAsync(http, $$"""{"code":"{{window.Code}}","name":"phone"}""");
        var answer = JsonNode.Parse(await right.Content.ReadAsStringAsync())!;
        Assert.That(((string?)answer["name"], (string?)answer["access"]), Is.EqualTo(("phone", "view")));
        Assert.That(right.Headers.CacheControl!.NoStore);
        using var again = await PostAsync(http, $$"""{"code":"{{window.Code}}","name":"phone"}""");
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));

        http.DefaultRequestHeaders.Add("Authorization", $"Bearer {answer["token"]}");
        Assert.That(await http.GetStringAsync(new Uri("/version/apt/x", UriKind.Relative)), Does.StartWith("{"));
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string body) =>
        http.PostAsync(new Uri("/pair", UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"));
}
