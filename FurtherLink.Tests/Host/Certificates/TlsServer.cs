using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FurtherLink.Host.Certificates;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Tests.Host.Certificates;

/// <summary>A web server on loopback that speaks TLS as the host does, and answers with who sent the request.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsServer(WebApplication app) => _app = app;

    /// <summary>The grant of the last request.</summary>
    public Grant? Last { get; private set; }

    public Uri Address => new(_app.Urls.First());

    public static async Task<TlsServer> StartAsync(TlsListener tls, ClientCertificates? clients = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, tls.Use));
        var app = builder.Build();
        var server = new TlsServer(app);
        if (clients is not null)
            app.Use(clients.IdentifyAsync);
        app.Run(context =>
        {
            server.Last = Grant.Of(context.User);
            return context.Response.WriteAsync($"{server.Last.Name} {server.Last.Access}");
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>The hash of the certificate that a new connection is shown.</summary>
    public async Task<string> ShownAsync()
    {
        await using var tls = await ConnectAsync(new SslClientAuthenticationOptions());
        return tls.RemoteCertificate!.GetCertHashString(HashAlgorithmName.SHA256);
    }

    /// <summary>A connection of a client with a certificate, which stays open after a first request.</summary>
    public async Task<SslStream> HoldAsync(X509Certificate2 certificate, params X509Certificate2[] chain)
    {
        var tls = await ConnectAsync(new SslClientAuthenticationOptions { ClientCertificateContext = SslStreamCertificateContext.Create(certificate, [.. chain], offline: true) });
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        await tls.ReadExactlyAsync(new byte["HTTP/1.1 200 OK".Length]).AsTask().WaitAsync(Patience.Long);
        return tls;
    }

    /// <summary>What is answered to a client with a certificate (null = with none), or "refused".</summary>
    public async Task<string> AskAsync(X509Certificate2? certificate, params X509Certificate2[] chain)
    {
        var options = new SslClientAuthenticationOptions();
        if (certificate is not null)
            options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, [.. chain], offline: true);
        try
        {
            await using var tls = await ConnectAsync(options);
            await tls.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(tls, Encoding.ASCII);
            return (await reader.ReadToEndAsync()).Split("\r\n\r\n") is [_, var answer] ? answer : "refused";
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // With TLS 1.3 the client hears of it only after its own part of the handshake.
            return "refused";
        }
    }

    /// <summary>Connects.</summary>
    // The certificate is what a test looks at, not what it trusts.
    [SuppressMessage("Security", "CA5359:Do Not Disable Certificate Validation", Justification = "It is compared with the one that was made.")]
    public async Task<SslStream> ConnectAsync(SslClientAuthenticationOptions options)
    {
        options.TargetHost = "localhost";
        options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Address.Port);
        var tls = new SslStream(client.GetStream());
        using var patience = new CancellationTokenSource(Patience.Long);
        await tls.AuthenticateAsClientAsync(options, patience.Token);
        return tls;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
