using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

[TestFixture]
internal sealed class ServeTests
{
    private TemporaryFolder _folder = null!;

    public static IEnumerable<TestCaseData> WaysToGiveAPort()
    {
        yield return new TestCaseData("--port {0}", null, null).SetArgDisplayNames("option");
        yield return new TestCaseData("serve --port {0}", null, null).SetArgDisplayNames("option of the command");
        yield return new TestCaseData("", "FURTHER_LINK_PORT", null).SetArgDisplayNames("FURTHER_LINK_PORT");
        yield return new TestCaseData("", "FurtherLink__Port", null).SetArgDisplayNames("FurtherLink__Port");
        yield return new TestCaseData("", null, """{"FurtherLink":{"Port":PORT}}""").SetArgDisplayNames("appsettings.json");
    }

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCaseSource(nameof(WaysToGiveAPort))]
    public async Task Port_TakenByAnother_IsReportedInWordsWithExitCode2(string arguments, string? variable, string? file)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString();
        var variables = new Dictionary<string, string?>();
        if (variable is not null)
            variables[variable] = port;
        if (file is not null)
            _folder.Write("appsettings.json", file.Replace("PORT", port, StringComparison.Ordinal));

        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, string.Format(arguments, port), variables);
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(output, Is.Empty);
            Assert.That(errors, Is.EqualTo(
                $"furtherlink: Port: {port} is already in use by another program, perhaps another FurtherLink; stop that one or choose another port with --port.\n"));
        });
    }

    [Test]
    public async Task Settings_OfEverySource_AreTakenByStrength()
    {
        // Each stronger source mends what the next weaker one has wrong, the last with the command line.
        _folder.Write("appsettings.json", """{"FurtherLink":{"Port":"file","Address":"file"}}""");
        var variables = new Dictionary<string, string?>();
        Assert.That(await Errors(""), Does.Contain("Port: \"file\"").And.Contain("Address: \"file\"").And.Contain(_folder["appsettings.json"]));
        variables["FurtherLink__Port"] = "nested";
        variables["FurtherLink__Address"] = "127.0.0.1";
        Assert.That(await Errors(""), Does.Contain("Port: \"nested\"").And.Not.Contain("Address"));
        variables["FURTHER_LINK_PORT"] = "existing";
        Assert.That(await Errors(""), Does.Contain("Port: \"existing\""));
        Assert.That(await Errors("--port option"), Does.Contain("Port: \"option\""));
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0", variables);
        Assert.That(host.Address.Host, Is.EqualTo("127.0.0.1"));

        async Task<string> Errors(string arguments) => (await HostProcess.RunAsync(_folder.Path, arguments, variables)).Errors;
    }

    [Test]
    public async Task Start_ByDefault_ListensWithItsOwnCertificateOnBothLoopbacksAndSaysWhatToType()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0");
        var address = host.Address;
        using var seen = await CertificateAsync(IPAddress.Loopback, address.Port);
        Assert.Multiple(() =>
        {
            Assert.That(address.ToString(), Does.StartWith("https://127.0.0.1:"));
            Assert.That(host.Output, Does.Contain("SHA-256 " + string.Join(':', seen.GetCertHash(HashAlgorithmName.SHA256).Select(octet => octet.ToString("X2")))));
            Assert.That(host.Output, Does.Contain($"curl -k https://127.0.0.1:{address.Port}/status"));
            Assert.That(host.Output, Does.Contain($"npx wscat -n -c wss://127.0.0.1:{address.Port}/run"));
            Assert.That(host.Output, Does.Not.Contain("Careful"));
            Assert.That(File.GetUnixFileMode(_folder["state/furtherlink"]), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
            Assert.That(File.GetUnixFileMode(_folder["state/furtherlink/key.pem"]), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        });
        if (Socket.OSSupportsIPv6 && host.Output.Contains("[::1]", StringComparison.Ordinal))
        {
            using var second = await CertificateAsync(IPAddress.IPv6Loopback, address.Port);
            Assert.That(second.Thumbprint, Is.EqualTo(seen.Thumbprint));
        }
    }

    [Test]
    public async Task Start_Again_ShowsTheSameCertificate()
    {
        string first;
        await using (var host = await HostProcess.ServeAsync(_folder.Path, "--port 0"))
            first = Fingerprint(host);
        await using (var host = await HostProcess.ServeAsync(_folder.Path, "--port 0"))
            Assert.That(Fingerprint(host), Is.EqualTo(first));
    }

    [TestCase("--no-tls", null)]
    [TestCase("", "FURTHER_LINK_NOSSL")]
    [TestCase("", "FurtherLink__NoTls")]
    public async Task Tls_TurnedOff_SpeaksPlainHttp(string option, string? variable)
    {
        var variables = variable is null ? null : new Dictionary<string, string?> { [variable] = "1" };
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 " + option, variables);
        using var client = new HttpClient();
        Assert.That(await client.GetStringAsync(new Uri(host.Address, "/status")), Is.EqualTo("OK"));
        Assert.That(host.Output, Does.Contain($"  curl {host.Address.GetLeftPart(UriPartial.Authority)}/status").And.Contain($"wscat -c ws://").And.Not.Contain("Certificate"));
        Assert.That(Directory.GetFiles(_folder["state"], "*.pem", SearchOption.AllDirectories), Is.Empty, "nothing to keep");
    }

    [TestCase("working")]
    [TestCase("option")]
    [TestCase("setting")]
    public async Task Certificate_OfOnesOwn_Wins(string way)
    {
        var (certificate, fingerprint) = WriteCertificate(way == "working" ? "extra" : "mine");
        var arguments = way == "option" ? $"--cert {certificate} --key {_folder["mine/key.pem"]}" : "";
        if (way == "setting")
            _folder.Write("appsettings.json", $$"""{"FurtherLink":{"CertificatePath":"mine/cert.pem","KeyPath":"mine/key.pem"} }""");
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 " + arguments);
        Assert.That(Fingerprint(host), Is.EqualTo(fingerprint));
    }

    [Test]
    public async Task Certificate_BesideTheExecutable_WinsOverTheWorkingDirectory()
    {
        using var installed = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory).Where(file => Path.GetExtension(file) is ".dll" or "" || file.EndsWith("runtimeconfig.json", StringComparison.Ordinal)))
            File.Copy(file, installed[Path.GetFileName(file)]);
        WriteCertificate("extra");
        var (certificate, fingerprint) = WriteCertificate("beside");
        Directory.CreateDirectory(installed["extra"]);
        File.Copy(certificate, installed["extra/cert.pem"]);
        File.Copy(_folder["beside/key.pem"], installed["extra/key.pem"]);

        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0", executable: installed["furtherlink"]);
        Assert.That(Fingerprint(host), Is.EqualTo(fingerprint));
    }

    [Test]
    public async Task Certificate_ExpiredFiles_AreWarnedAboutAndServed()
    {
        WriteCertificate("extra", TimeSpan.FromDays(-1));
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0");
        host.Signal("TERM");
        await host.ExitAsync();
        Assert.That(await host.ErrorsAsync(), Does.Contain("expired on"));
    }

    [Test]
    public async Task Certificate_HalfThere_IsReportedWithExitCode2()
    {
        WriteCertificate("extra");
        File.Delete(_folder["extra/key.pem"]);
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "--port 0");
        Assert.That((code, errors), Is.EqualTo((2, $"furtherlink: KeyPath: there is no file \"{_folder["extra/key.pem"]}\".\n")));
    }

    [TestCase("STATE_DIRECTORY", "one:two", "one")]
    [TestCase("XDG_STATE_HOME", "xdg", "xdg/furtherlink")]
    public async Task State_ByEnvironment_IsKeptThere(string variable, string value, string expected)
    {
        var text = string.Join(':', value.Split(':').Select(name => _folder[name]));
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0", new Dictionary<string, string?> { [variable] = text });
        Assert.That(File.Exists(Path.Combine(_folder[expected], "key.pem")));
    }

    [Test]
    public async Task State_WithoutAnySetting_IsKeptInTheHome()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0", new Dictionary<string, string?> { ["XDG_STATE_HOME"] = null, ["HOME"] = _folder.Path });
        Assert.That(File.Exists(_folder[".local/state/furtherlink/key.pem"]));
    }

    [Test]
    public async Task State_ByOption_IsKeptThere()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --state-dir kept");
        Assert.That(File.Exists(_folder["kept/key.pem"]));
    }

    [Test]
    public async Task Address_OfNobody_IsReportedWithExitCode2()
    {
        // 192.0.2.0/24 is for documentation (RFC 5737): no device has one.
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "--port 0 --address 192.0.2.1 --pairing");
        Assert.That((code, errors), Is.EqualTo((2, "furtherlink: Address: \"192.0.2.1\" is not an address of this device.\n")));
    }

    [Test]
    public async Task Address_BeyondThisDevice_NeedsTlsAndCredentials()
    {
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "--port 0 --address any --no-tls");
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.Contain("furtherlink: NoTls: ").And.Contain("furtherlink: Address: nobody beyond this device could connect").And.Contain("furtherlink token add"));
    }

    [TestCase("--legacy-open", "")]
    [TestCase("", "FurtherLink__LegacyOpen")]
    public async Task LegacyOpen_StartsAnywhere_AndWarnsEachTime(string option, string variable)
    {
        var variables = variable.Length > 0 ? new Dictionary<string, string?> { [variable] = "true" } : null;
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 --address any --no-tls {option}", variables);
        Assert.That(host.Output, Does.Contain("Careful: LegacyOpen is on."));
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{host.Address.Port}/version/apt/x"));
        request.Headers.Add("Origin", "https://evil.example");
        request.Headers.Host = "evil.example";
        using var response = await http.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        host.Signal("TERM");
        await host.ExitAsync();
        Assert.That(await host.ErrorsAsync(), Does.Contain("furtherlink: Careful: LegacyOpen is on."));
    }

    [TestCase("--pairing --address any", "")]
    [TestCase("--address any", "FurtherLink__Pairing")]
    public async Task Pairing_StartsBeyondThisDevice_WithoutCredentials(string option, string variable)
    {
        var variables = variable.Length > 0 ? new Dictionary<string, string?> { [variable] = "true" } : null;
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 {option}", variables);
        Assert.That(host.Output, Does.Not.Contain("Careful"));
    }

    [Test]
    public async Task Token_Given_LetsItStartBeyondThisDevice()
    {
        Assert.That((await HostProcess.RunAsync(_folder.Path, "token add phone --role view")).Code, Is.Zero);
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --address any");
        Assert.That((await HostProcess.RunAsync(_folder.Path, "--port 0 --address any --no-tls")).Errors, Does.Contain("NoTls: ").And.Not.Contain("Address: "));
    }

    [TestCase("", "Programs on this device connect without a token, as the user whose they are; web pages and others show one.")]
    [TestCase("--trusted-origin https://a.example --allowed-origin https://b.example --allowed-origin https://c.example",
        "Programs on this device connect without a token, as the user whose they are; web pages and others show one.\n"
            + "Web pages that connect as such programs do: https://a.example\nWeb pages that connect with a token: https://b.example, https://c.example\n")]
    public async Task StartMessage_TellsWhoConnectsHow(string option, string words)
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 --no-tls {option}");
        Assert.That(host.Output, Does.Contain(words));
    }

    [TestCase("--allowed-host device.example", "", "")]
    [TestCase("", "FurtherLink__AllowedHosts", "other.example,device.example")]
    [TestCase("", "FurtherLink__AllowedHosts__0", "device.example")]
    public async Task AllowedHosts_Set_AreAnswered(string option, string variable, string value)
    {
        var variables = variable.Length > 0 ? new Dictionary<string, string?> { [variable] = value } : null;
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 --no-tls {option}", variables);
        using var http = new HttpClient();
        foreach (var (name, status) in new[] { ("device.example", 200), ("evil.example", 421) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Address, "/status"));
            request.Headers.Host = name;
            using var response = await http.SendAsync(request);
            Assert.That((int)response.StatusCode, Is.EqualTo(status), name);
        }
    }

    [Test]
    public async Task LoopbackAccess_Off_AsksProgramsToo()
    {
        var (_, token, _) = await HostProcess.RunAsync(_folder.Path, "token add phone --role view");
        await using var host = await HostProcess.ServeAsync(
            _folder.Path, "--port 0 --no-tls", new Dictionary<string, string?> { ["FurtherLink__LoopbackAccess"] = "false" });
        Assert.That(host.Output, Does.Contain("Whoever connects shows a token."));
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri(host.Address, "/version/apt/x"));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        http.DefaultRequestHeaders.Add("Authorization", "Bearer " + token.Trim());
        Assert.That(await http.GetStringAsync(new Uri(host.Address, "/version/apt/x")), Does.StartWith("{"));
    }

    [Test]
    public async Task Limits_Set_CutWhoOnlyConnectsAndWhoNeverEndsItsHeaders()
    {
        await using var host = await HostProcess.ServeAsync(
            _folder.Path, "--port 0 --no-tls", new Dictionary<string, string?> { ["FurtherLink__MaxConnections"] = "1", ["FurtherLink__HeaderTimeout"] = "00:00:00.1" });
        using var slow = new TcpClient();
        await slow.ConnectAsync(IPAddress.Loopback, host.Address.Port);
        await slow.GetStream().WriteAsync("GET /status HTTP/1.1\r\nHost: "u8.ToArray());
        using var answer = new StreamReader(slow.GetStream());
        Assert.That(await answer.ReadToEndAsync().WaitAsync(Patience.Long), Does.StartWith("HTTP/1.1 408 "));

        // One, ten to be told, and one more.
        var idle = Enumerable.Range(0, 12).Select(static _ => new TcpClient()).ToList();
        try
        {
            var ends = idle.ConvertAll(client => EndAsync(client, host.Address.Port));
            Assert.That(await (await Task.WhenAny(ends).WaitAsync(Patience.Long)), Is.True);
        }
        finally
        {
            idle.ForEach(static client => client.Dispose());
        }

        static async Task<bool> EndAsync(TcpClient client, int port)
        {
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port);
                return await client.GetStream().ReadAsync(new byte[1]) == 0;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                return true;
            }
        }
    }

    [Test]
    public async Task WebSocket_OverHttp2_PassesTheSameGate()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0");
        Assert.That(await ConnectAsync(null), Is.EqualTo(101).Or.EqualTo(200));
        Assert.That(await ConnectAsync($"https://127.0.0.1:{host.Address.Port}"), Is.EqualTo(101).Or.EqualTo(200));
        Assert.That(await ConnectAsync("https://evil.example"), Is.EqualTo(403));
        Assert.That(await ConnectAsync("null"), Is.EqualTo(403));

        async Task<int> ConnectAsync(string? origin)
        {
            using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = Fingerprinted } };
            using var invoker = new HttpMessageInvoker(handler);
            using var socket = new ClientWebSocket();
            socket.Options.HttpVersion = HttpVersion.Version20;
            socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            socket.Options.CollectHttpResponseDetails = true;
            if (origin is not null)
                socket.Options.SetRequestHeader("Origin", origin);
            try
            {
                await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{host.Address.Port}/run"), invoker, default);
            }
            catch (WebSocketException) when ((int)socket.HttpStatusCode != 0)
            {
                // It is its status that is looked at.
            }

            return (int)socket.HttpStatusCode;
        }

        bool Fingerprinted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
            certificate!.GetCertHashString(HashAlgorithmName.SHA256) == Fingerprint(host).Replace(":", "", StringComparison.Ordinal);
    }

    [TestCase("TERM")]
    [TestCase("INT")]
    public async Task Signal_EndsIt_WithExitCode0(string signal)
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0");
        host.Signal(signal);
        Assert.That(await host.ExitAsync(), Is.Zero);
    }

    private static string Fingerprint(HostProcess host) => host.Output.Split('\n').Single(line => line.StartsWith("  SHA-256 ", StringComparison.Ordinal))[10..];

    // The certificate is what the test looks at, not what it trusts.
    [SuppressMessage("Security", "CA5359:Do Not Disable Certificate Validation", Justification = "It is compared with the printed fingerprint.")]
    private static async Task<X509Certificate2> CertificateAsync(IPAddress address, int port)
    {
        using var client = new TcpClient(address.AddressFamily);
        await client.ConnectAsync(address, port);
        await using var tls = new System.Net.Security.SslStream(client.GetStream(), false, static (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        return new X509Certificate2(tls.RemoteCertificate!);
    }

    private (string Path, string Fingerprint) WriteCertificate(string directory, TimeSpan? expires = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=mine", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddDays(-2), now + (expires ?? TimeSpan.FromDays(1)));
        _folder.Write(directory + "/key.pem", key.ExportPkcs8PrivateKeyPem());
        return (_folder.Write(directory + "/cert.pem", certificate.ExportCertificatePem()),
            string.Join(':', certificate.GetCertHash(HashAlgorithmName.SHA256).Select(octet => octet.ToString("X2"))));
    }
}
