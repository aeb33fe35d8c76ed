using System.Net;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>Programs that hold up others, starts that fail without a word, children that stay, files that are open to all.</summary>
[TestFixture]
internal sealed class ExistingServerFaultTestsPrograms : ExistingServerFaultTests
{
    // Each says its id once it can no longer be ended by SIGTERM; none holds a stream of the program.
    private const string Child = """sh -c 'trap "" TERM HUP; echo $$; exec </dev/null >/dev/null 2>&1; while :; do sleep 1000; done' &""";
    private const string Children = $"{Child}\n({Child})\n(setsid {Child})\n";

    [Test]
    public async Task Input_ToATerminalWhoseProgramDoesNotRead_HoldsUpNothing()
    {
        await using var client = await ConnectAsync(terminal: true);
        var deaf = await client.PythonAsync("import signal, tty; tty.setraw(0); print('deaf'); signal.pause()");
        await deaf.SeeAsync("deaf");
        for (var i = 0; i < 10; i++)
            await deaf.TypeAsync(new string('x', 100_000));

        await client.PingAsync();
        var other = await client.PythonAsync("print('Hello', input())");
        await other.TypeAsync("Ann\n");
        await other.SeeAsync("Hello Ann");
        Assert.That(await other.ExitAsync(), Is.Zero, other.Output);
        await deaf.StopAsync();
        Assert.That(await deaf.ExitAsync(), Is.EqualTo(-15));
        await client.PingAsync();
    }

    [TestCase("exec", null, "no/such/file")]
    [TestCase("exec", null, ".")]
    [TestCase("exec", null, "text")]
    [TestCase("exec", "echo no first line", null)]
    [TestCase("exec", "#!/no/such/interpreter\n", null)]
    [TestCase("exec", "#!/bin/true\n", "text/below")]
    [TestCase("python3", "pass", "text/below/")]
    [TestCase("shell", null, "text")]
    public async Task Start_ThatFails_IsAnsweredAndFreesItsName(string runner, string? code, string? path)
    {
        await File.WriteAllTextAsync(Path.Combine(Work, "text"), "no program");
        await using var client = await ConnectAsync();
        for (var i = 0; i < 2; i++)
        {
            var failed = await client.StartAsync(runner, code, path, name: "1");
            Assert.That(failed.IsStarted, Is.False);
            Assert.That(failed.Errors, Has.Count.EqualTo(1).And.All.Match("^Message Exception: ."));
        }

        var program = await client.StartAsync("python3", "print('started')", name: "1");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        Assert.That(program.Output, Is.EqualTo("started\n"));
        Assert.That(Directory.EnumerateFiles(Work).Select(Path.GetFileName), Is.EqualTo(["text"]), "nothing is left of failed starts");
    }

    [Test]
    public async Task Start_InADirectoryOfOthers_IsAnsweredAndFreesItsName()
    {
        RequireRoot();
        File.SetUnixFileMode(Directory.CreateDirectory(Path.Combine(Work, "closed")).FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var client = await ConnectAsync(user: "nobody");
        foreach (var runner in new[] { "exec", "python3", "shell" })
        {
            var failed = await client.StartAsync(runner, runner == "shell" ? null : "#!/bin/true\n", "closed/", name: "1");
            Assert.That(failed.Errors, Has.Count.EqualTo(1).And.All.Match("^Message Exception: .*closed"));
        }

        var program = await client.StartAsync("exec", "#!/bin/sh\nid -un\n", name: "1");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        Assert.That(program.Output, Is.EqualTo("nobody\n"));
    }

    [Test]
    public async Task Start_AsAUserThereIsNot_IsAnsweredEachTime()
    {
        await using var client = await ConnectAsync(user: "no-such-user");
        for (var i = 0; i < 2; i++)
        {
            var failed = await client.StartAsync("python3", "pass", name: "1");
            Assert.That(failed.Errors, Has.Count.EqualTo(1).And.All.Match("^Message Exception: .*no-such-user"));
        }
    }

    [Test]
    public async Task Children_ThatIgnoreTermAndHoldNothing_EndWithAStop([Values] bool terminal)
    {
        await using var client = await ConnectAsync(terminal);
        var program = await client.ShellAsync(Children + "exec sleep 1000");
        var children = await ChildrenAsync(program);

        await program.StopAsync();
        // Its leader dies at once, before the time that those who ignore SIGTERM are given is over.
        Assert.That(await program.ExitAsync(), Is.EqualTo(-15));
        await GoneAsync(children, "the end of the children of a program that was stopped");
        await client.PingAsync();
    }

    [Test]
    public async Task Children_OfAProgramThatHasEnded_EndWithTheirClient([Values] bool terminal)
    {
        var client = await ConnectAsync(terminal);
        var program = await client.ShellAsync(Children + "read line");
        var children = await ChildrenAsync(program);
        await program.TypeAsync("\n");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        Assert.That(children.Select(id => Directory.Exists($"/proc/{id}")), Is.All.True, "they live on while their client is there");

        await client.DisposeAsync();
        await GoneAsync(children, "the end of the children whose client has gone");
    }

    [Test]
    public async Task File_OfCode_IsOfItsUserAlone()
    {
        RequireRoot();
        await using var client = await ConnectAsync(user: "nobody");
        var script = await client.StartAsync("exec", "#!/bin/sh\nexec stat -c '%U %a' $0");
        var python = await client.PythonAsync("import os; os.execl('/usr/bin/stat', 'stat', '-c', '%U %a', __file__)");
        Assert.That((await script.ExitAsync(), await python.ExitAsync()), Is.EqualTo((0, 0)), script.Error + python.Error);
        Assert.That((script.Output, python.Output), Is.EqualTo(("nobody 700\n", "nobody 600\n")));
    }

    [Test]
    public async Task File_NamedByItsPath_KeepsOwnerAndMode()
    {
        RequireRoot();
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        var script = Path.Combine(Work, "script");
        var secret = Path.Combine(Work, "secret.py");
        await File.WriteAllTextAsync(script, "#!/bin/cat\n");
        await File.WriteAllTextAsync(secret, "print('secret')");
        File.SetUnixFileMode(script, Mode);
        File.SetUnixFileMode(secret, UnixFileMode.UserRead);

        await using var client = await ConnectAsync(user: "nobody");
        var refused = await client.StartAsync("exec", path: "script");
        Assert.That(refused.Errors, Has.Count.EqualTo(1).And.All.Contains("may not execute"));
        var python = await client.StartAsync("python3", path: secret);
        Assert.That(await python.ExitAsync(), Is.EqualTo(2));
        Assert.That(python.Output, Is.Empty);
        Assert.That(python.Error, Does.Contain("Permission denied"));

        var shown = await client.ShellAsync($"stat -c '%U %a' {script} {secret}");
        Assert.That(await shown.ExitAsync(), Is.Zero);
        Assert.That(shown.Output, Is.EqualTo("root 644\nroot 400\n"));
    }

    [Test]
    public async Task Questions_AboutUsersAndPackages_StartNoProgram()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "who", "w", "id", "sudo", "apt", "apt-cache", "dpkg", "dpkg-query" })
            File.SetUnixFileMode(folder.Write($"bin/{name}", $"#!/bin/sh\ntouch {folder["asked"]}\nexec sleep 1000\n"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var variables = new Dictionary<string, string?> { ["PATH"] = $"{folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}" };
        await using var host = await HostProcess.ServeAsync(folder.Path, "--port 0 --no-tls", variables);

        using var http = new HttpClient { BaseAddress = host.Address };
        Assert.That(await http.GetStringAsync("/version/apt/-oAPT::Architecture=x%20libc6"), Is.EqualTo("{\"version\": null}"));
        Assert.That(await http.GetStringAsync("/version/apt/libc6"), Does.StartWith("{\"version\": "));
        await using var client = await LiveClient.ConnectAsync(new UriBuilder(host.Address) { Scheme = "ws", Path = "/run" }.Uri);
        var program = await client.ShellAsync("echo ran");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        using var response = await http.PostAsync("/upload", new StringContent("[]"));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(File.Exists(folder["asked"]), Is.False);
    }

    private static async Task<List<int>> ChildrenAsync(LiveProgram program)
    {
        await Patience.UntilAsync(() => program.Output.Count(character => character == '\n') == 3, "three children");
        return Numbers(program.Output);
    }
}
