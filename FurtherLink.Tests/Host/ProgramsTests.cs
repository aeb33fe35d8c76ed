using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Processes;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Host;

/// <summary>What the host's settings and signals mean for the programs that it runs.</summary>
[TestFixture]
internal sealed class ProgramsTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase("--work-dir work", null)]
    [TestCase("", "FURTHER_LINK_WORK_DIR")]
    [TestCase("", "FurtherLink__WorkDirectory")]
    public async Task WorkDirectory_Set_IsWhereRelativePathsBegin(string option, string? variable)
    {
        await using var host = await ServeAsync(option, variable, "work");
        Assert.That(await PrintAsync(host, "import os; print(os.getcwd())", "project/"), Is.EqualTo(_folder["work/project"]));
    }

    [TestCase("--temp-dir temp", null)]
    [TestCase("", "FURTHER_LINK_TEMP_DIR")]
    [TestCase("", "FurtherLink__TempDirectory")]
    public async Task TempDirectory_Set_IsWhereCodeWithoutPathRuns(string option, string? variable)
    {
        await using var host = await ServeAsync(option, variable, "temp");
        Assert.That(await PrintAsync(host, "import os; print(os.getcwd())"), Is.EqualTo(_folder["temp"]));
    }

    [TestCase("--venv venv", null)]
    [TestCase("", "FURTHER_VENV")]
    [TestCase("", "FurtherLink__PythonVenv")]
    public async Task PythonVenv_Set_IsUsedByPythonRuns(string option, string? variable)
    {
        Directory.CreateDirectory(_folder["venv/bin"]);
        File.CreateSymbolicLink(_folder["venv/bin/python3"], "/usr/bin/python3");
        await using var host = await ServeAsync(option, variable, "venv");
        Assert.That(await PrintAsync(host, "import os; print(os.environ['VIRTUAL_ENV'])"), Is.EqualTo(_folder["venv"]));
    }

    [TestCase("--user nobody", null)]
    [TestCase("", "FurtherLink__DefaultUser")]
    public async Task DefaultUser_Set_IsWhoProgramsRunAs(string option, string? variable)
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore("Only root can run programs as another user.");
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var variables = new Dictionary<string, string?>();
        if (variable is not null)
            variables[variable] = "nobody";
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 --no-tls {option}", variables);
        Assert.That(await PrintAsync(host, "import os; print(os.getuid())"), Is.EqualTo(UserAccount.TryFind("nobody")!.Uid.ToString()));
    }

    [TestCase("--projects-dir projects", null)]
    [TestCase("", "FURTHER_LINK_MINISCREEN_PROJECTS_DIR")]
    [TestCase("", "FurtherLink__MiniscreenProjectsDirectory")]
    public async Task ProjectsDirectory_Set_IsWhereProjectsAreCopied(string option, string? variable)
    {
        await using var host = await ServeAsync("--work-dir work " + option, variable, "projects");
        using var client = new HttpClient();
        using var body = new StringContent("""{"name":"p","username":"ann@example.org","files":{"project.cfg":{"type":"text","content":{"text":"x"}}}}""");
        using var response = await client.PostAsync(new Uri(host.Address, "/upload"), body);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(File.Exists(_folder["projects/ann/p/project.cfg"]));
    }

    [TestCase("--trusted-origin https://a.example --trusted-origin https://b.example", null, null)]
    [TestCase("", "FURTHER_LINK_TRUSTED_ORIGINS", "https://a.example,https://b.example")]
    [TestCase("", "FurtherLink__TrustedOrigins", "https://b.example")]
    [TestCase("", "FurtherLink__TrustedOrigins__0", "https://b.example")]
    public async Task TrustedOrigins_Set_MayUpload(string option, string? variable, string? value)
    {
        var variables = new Dictionary<string, string?>();
        if (variable is not null)
            variables[variable] = value;
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 --no-tls --work-dir work {option}", variables);
        Assert.That(await UploadFromAsync("https://b.example"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await UploadFromAsync("https://c.example"), Is.EqualTo(HttpStatusCode.Forbidden));

        async Task<HttpStatusCode> UploadFromAsync(string origin)
        {
            using var client = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Address, "/upload")) { Content = new StringContent("""{"name":"p","files":{}}""") };
            request.Headers.Add("Origin", origin);
            using var response = await client.SendAsync(request);
            return response.StatusCode;
        }
    }

    [TestCase("--debug", null, true)]
    [TestCase("", "FURTHER_LINK_DEBUG", true)]
    [TestCase("", "FurtherLink__Debug", true)]
    [TestCase("", null, false)]
    public async Task Debug_Set_LogsConnections(string option, string? variable, bool logged)
    {
        var variables = new Dictionary<string, string?>();
        if (variable is not null)
            variables[variable] = "1";
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--port 0 --no-tls {option}", variables);
        await (await ConnectAsync(host)).DisposeAsync();
        host.Signal("TERM");
        await host.ExitAsync();
        Assert.That(await host.ErrorsAsync(), logged ? Does.Contain("dbug: FurtherLink.") : Does.Not.Contain("dbug"));
    }

    [Test]
    public async Task Signal_WithProgramsRunning_EndsThemAndTellsTheirClients()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");
        await using var client = await ConnectAsync(host);
        await client.SendAsync(Start("import os, time; print(os.getpid(), flush=True); time.sleep(1000)"));
        Assert.That(await TypeAsync(client), Is.EqualTo("started"));
        var output = "";
        while (!output.EndsWith('\n'))
            output += (string)JsonNode.Parse((await client.ReceiveAsync())!)!["data"]!["output"]!;

        host.Signal("TERM");
        Assert.That(await TypeAsync(client), Is.EqualTo("stopped"));
        Assert.That(await client.ReceiveAsync(), Is.Null, "a close frame");
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(Directory.Exists("/proc/" + output.Trim()), Is.False);
    }

    [Test]
    public async Task Signals_IgnoredByWhoeverStartedIt_CountAllTheSame()
    {
        await using var host = HostProcess.Start(
            _folder.Path, ["--ignore-signal=CHLD,INT", HostProcess.Executable, "--port", "0", "--no-tls"], executable: "/usr/bin/env");
        await host.ReadUntilAsync("Ctrl-C");
        await using var client = await ConnectAsync(host);
        await client.SendAsync(Start("raise SystemExit(7)"));
        Assert.That(await TypeAsync(client), Is.EqualTo("started"));
        Assert.That((int)JsonNode.Parse((await client.ReceiveAsync())!)!["data"]!["exitCode"]!, Is.EqualTo(7));
        host.Signal("INT");
        Assert.That(await host.ExitAsync(), Is.Zero);
    }

    private static string Start(string code, string? path = null) =>
        $$"""{"type":"start","process":"1","data":{"runner":"python3","code":{{JsonSerializer.Serialize(code)}},"path":{{JsonSerializer.Serialize(path)}} } }""";

    private static Task<SocketPeer> ConnectAsync(HostProcess host) => SocketPeer.ConnectAsync(new UriBuilder(host.Address) { Scheme = "ws", Path = "/run" }.Uri);

    private static async Task<string> TypeAsync(SocketPeer client) => (string)JsonNode.Parse((await client.ReceiveAsync())!)!["type"]!;

    // What a program prints, without the newline at its end.
    private static async Task<string> PrintAsync(HostProcess host, string code, string? path = null)
    {
        await using var client = await ConnectAsync(host);
        await client.SendAsync(Start(code, path));
        var output = "";
        while (await client.ReceiveAsync() is { } text)
        {
            var message = JsonNode.Parse(text)!;
            switch ((string)message["type"]!)
            {
                case "started":
                    break;
                case "stdout":
                    output += (string)message["data"]!["output"]!;
                    break;
                case "stopped":
                    return output.TrimEnd('\n');
                default:
                    throw new AssertionException(text);
            }
        }

        throw new AssertionException("The connection ended.");
    }

    private Task<HostProcess> ServeAsync(string option, string? variable, string directory)
    {
        var variables = new Dictionary<string, string?>();
        if (variable is not null)
            variables[variable] = _folder[directory];
        return HostProcess.ServeAsync(_folder.Path, $"--port 0 --no-tls {option}", variables);
    }
}
