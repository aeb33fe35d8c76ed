using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FurtherLink.Tests.Support;

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
}
