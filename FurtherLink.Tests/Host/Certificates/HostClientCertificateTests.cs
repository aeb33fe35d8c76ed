using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Host.Certificates;

/// <summary>The settings of clients' certificates, on a host as it is.</summary>
[TestFixture]
internal sealed class HostClientCertificateTests
{
    [TestCase("--client-ca ca.pem", null, "started")]
    [TestCase("--client-ca ca.pem --client-ca-access view", null, "this needs the right to drive")]
    [TestCase("", "view", "this needs the right to drive")]
    public async Task Client_WithCertificate_MayDoWhatIsSet(string options, string? variable, string expected)
    {
        using var folder = new TemporaryFolder();
        using var authority = MadeCertificates.Authority("CN=ours");
        using var phone = MadeCertificates.Signed(authority, "CN=phone");
        folder.Write("ca.pem", authority.ExportCertificatePem());
        var variables = variable is null ? null : new Dictionary<string, string?>
        {
            ["FurtherLink__ClientCertificateAuthorities"] = folder["ca.pem"],
            ["FurtherLink__ClientCertificateAccess"] = variable,
        };
        await using var host = await HostProcess.ServeAsync(folder.Path, "--port 0 " + options, variables);
        using var own = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(folder["state/furtherlink/cert.pem"]));
        using var socket = new ClientWebSocket();
        socket.Options.ClientCertificates.Add(phone);
        socket.Options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString().Equals(own.GetCertHashString(), StringComparison.Ordinal);
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{host.Address.Port}/run"), CancellationToken.None).WaitAsync(Patience.Long);
        await socket.SendAsync(
            """{"type":"start","process":"1","data":{"runner":"exec","code":"#!/bin/sh\necho Hello"}}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[4096];
        var length = (await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience.Long)).Count;
        Assert.That(Encoding.UTF8.GetString(buffer, 0, length), Does.Contain(expected));
    }

    [Test]
    public async Task Request_WithCredentialsOfItsOwn_IsJudgedByThose()
    {
        using var folder = new TemporaryFolder();
        using var authority = MadeCertificates.Authority("CN=ours");
        using var phone = MadeCertificates.Signed(authority, "CN=phone");
        folder.Write("ca.pem", authority.ExportCertificatePem());
        await using var host = await HostProcess.ServeAsync(folder.Path, "--port 0 --client-ca ca.pem");
        using var tokens = new TokenStore(Options.Create(new AccessOptions { TokenFile = folder["state/furtherlink/tokens.json"] }));
        var view = tokens.Add("view", Access.View).Text;
        using var own = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(folder["state/furtherlink/cert.pem"]));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [phone];
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString().Equals(own.GetCertHashString(), StringComparison.Ordinal);
        using var client = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{host.Address.Port}") };
        Assert.That(await StatusAsync("X-None", "x"), Is.EqualTo(400), "the certificate may upload; this is none");
        Assert.That(await StatusAsync("Authorization", "Bearer " + view), Is.EqualTo(403), "the token may only view");
        Assert.That(await StatusAsync("Authorization", "Bearer wrong"), Is.EqualTo(401));
        Assert.That(await StatusAsync("Cookie", "__Host-furtherlink=x"), Is.EqualTo(401));

        async Task<int> StatusAsync(string name, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/upload") { Headers = { { name, value } } };
            using var response = await client.SendAsync(request);
            return (int)response.StatusCode;
        }
    }
}
