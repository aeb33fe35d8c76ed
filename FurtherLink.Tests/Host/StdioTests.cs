using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Tests.Processes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>"furtherlink stdio" as a client by ssh has it: a process with pipes.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "A client of a process is the process's, which is disposed.")]
internal sealed class StdioTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Lines_GoodAndBad_AreAnsweredAndNothingElseIsPrinted()
    {
        await using var host = HostProcess.Start(_folder.Path, "stdio --debug", new Dictionary<string, string?> { ["FurtherLink__MaxMessage"] = "2000" });
        var client = host.Client();
        await client.PingAsync();
        await client.Wire.SendAsync("nonsense\r");
        Assert.That((string?)(await client.NextAsync())!["data"]!["message"], Is.EqualTo("Bad message"));
        await client.Wire.SendAsync(new string(' ', 100_000) + "{\"type\":\"ping\"}");
        Assert.That((string?)(await client.NextAsync())!["data"]!["detail"], Is.EqualTo("a message of more than 2000 bytes was not read"));
        await client.StartAsync("1", "python3", "print(input())");
        await client.InputAsync("1", "h\u00e9llo\n");
        Assert.That(await client.RunAsync("1"), Is.EqualTo(new RunResult("h\u00e9llo\n", "", 0)));
        host.EndInput();
        Assert.That(await client.NextAsync(), Is.Null);
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(await host.ErrorsAsync(), Does.Contain("stdio"), "the log is there");
    }

    [Test]
    public async Task Input_EndsWhileAProgramRuns_TheExitIsToldAndItEnds()
    {
        await using var host = HostProcess.Start(_folder.Path, "stdio");
        var client = host.Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho up; sleep 1000");
        await client.OutputUntilAsync("up");
        host.EndInput();
        Assert.That((await client.RunAsync("1")).ExitCode, Is.EqualTo(-15));
        Assert.That(await client.NextAsync(), Is.Null);
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(await host.ErrorsAsync(), Is.Empty);
    }

    [TestCase("TERM")]
    [TestCase("INT")]
    public async Task Signal_ProgramRuns_TheExitIsToldAndItEnds(string signal)
    {
        await using var host = HostProcess.Start(_folder.Path, "stdio");
        var client = host.Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho up; sleep 1000");
        await client.OutputUntilAsync("up");
        host.Signal(signal);
        Assert.That((await client.RunAsync("1")).ExitCode, Is.EqualTo(-15));
        Assert.That(await client.NextAsync(), Is.Null);
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(await host.ErrorsAsync(), Is.Empty);
    }

    [Test]
    public async Task Signal_ClientDoesNotRead_EndsItAllTheSame()
    {
        await using var host = HostProcess.Start(_folder.Path, "stdio");
        var client = host.Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\nexec yes");
        await client.OutputUntilAsync("y");
        host.Signal("TERM");
        await host.ExitAsync();
    }

    [Test]
    public async Task Output_NobodyReadsItAnyMore_EndsItQuietly()
    {
        await using var host = HostProcess.Start(_folder.Path, "stdio");
        var client = host.Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\nexec yes");
        await client.OutputUntilAsync("y");
        host.EndOutput();
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(await host.ErrorsAsync(), Is.Empty);
    }

    [Test]
    public async Task Output_Of15Megabytes_ArrivesWholeAlsoThroughAHost([Values] bool through)
    {
        await using var server = through ? await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0") : null;
        await using var host = HostProcess.Start(_folder.Path, "stdio");
        var client = host.Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\nseq 1 2000000");
        var (output, _, code) = await client.RunAsync("1");
        Assert.That(code, Is.Zero);
        var expected = SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(1, 2_000_000).Select(number => $"{number}\n"))));
        Assert.That(SHA256.HashData(Encoding.UTF8.GetBytes(output)), Is.EqualTo(expected));
    }

    [Test]
    public async Task Relay_KilledWithItsClient_TheHostsSessionGoesOn()
    {
        await using var server = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0 --socket " + _folder["link.sock"]);
        Assert.That(server.Output, Does.Contain($"  unix:{_folder["link.sock"]}\n"));
        await using (var first = HostProcess.Start(_folder.Path, "stdio"))
        {
            var client = first.Client();
            await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\necho up; read line; echo $line", session = new { whenDetached = "keep", name = "kept" } });
            await client.OutputUntilAsync("up");
            await client.Wire.CutAsync();
        }

        await using var second = HostProcess.Start(_folder.Path, "stdio");
        var next = second.Client();
        await next.SendAsync("attach", "k", new { session = "kept" });
        await next.InputAsync("k", "still here\n");
        Assert.That((await next.RunAsync("k")).Output, Is.EqualTo("up\nstill here\n"));
        second.EndInput();
        Assert.That(await second.ExitAsync(), Is.Zero);

        await using var alone = HostProcess.Start(_folder.Path, "stdio --alone");
        var other = alone.Client();
        await other.SendAsync("list");
        Assert.That((await other.UntilAsync("sessions"))["data"]!["sessions"]!.AsArray(), Is.Empty, "a server of its own");
    }

    [Test]
    public async Task Relay_HostEnds_EndsToo()
    {
        await using var server = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0");
        await using var host = HostProcess.Start(_folder.Path, "stdio --user root");
        var client = host.Client();
        await client.PingAsync();
        server.Signal("TERM");
        Assert.That(await client.NextAsync(), Is.Null);
        Assert.That(await host.ExitAsync(), Is.Zero);
        Assert.That(await host.ErrorsAsync(), Is.EqualTo("furtherlink: a host runs already and serves with its own settings; to serve with --user, say --alone.\n"));
        Assert.That(await server.ExitAsync(), Is.Zero);
        Assert.That(File.Exists(_folder["state/furtherlink/furtherlink.sock"]), Is.False);
    }

    [Test]
    public async Task Serve_SocketThatCannotBeHad_IsAMistakeWhereItWasGivenAndAWarningElse()
    {
        var taken = _folder.Write("state/furtherlink/furtherlink.sock", "somebody's");
        File.SetUnixFileMode(_folder["state/furtherlink"], (UnixFileMode)0b111_000_000);
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, "--no-tls --port 0 --socket " + taken);
        Assert.That((code, output, errors), Is.EqualTo((2, "", $"furtherlink: Socket: {taken} is there already and is no socket; say another with --socket, or --socket none.\n")));

        await using var server = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0");
        Assert.That(server.Output, Does.Not.Contain("unix:"));
        server.Signal("TERM");
        await server.ExitAsync();
        Assert.That(await server.ErrorsAsync(), Is.EqualTo($"furtherlink: there is no socket for commands on this machine: {taken} is there already and is no socket\n"));

        File.Delete(taken);
        await using var without = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0 --socket none");
        Assert.That(without.Output, Does.Not.Contain("unix:"));
        Assert.That(File.Exists(taken), Is.False);
    }

    [Test]
    public async Task Input_OfAnyKind_IsRead([Values("file", "socket", "terminal")] string kind)
    {
        var command = $"{HostProcess.Executable} stdio --alone";
        await using var rig = new ProgramRig();
        var script = kind switch
        {
            "file" => $"printf '{{\"type\":\"ping\"}}\\n' >{_folder["input"]}; {command} <{_folder["input"]}",
            "terminal" => $"stty -echo; echo ready; exec {command}",
            _ => $$"""
                exec /usr/bin/python3 -c '
                import socket, subprocess
                ours, theirs = socket.socketpair()
                child = subprocess.Popen("{{command}}".split(), stdin=theirs, stdout=theirs)
                theirs.close()
                ours.sendall(b"{\"type\":\"ping\"}\n")
                print(ours.makefile().readline())
                ours.shutdown(socket.SHUT_WR)
                child.wait()
                '
                """,
        };
        var program = await rig.BashAsync(script, kind == "terminal" ? TerminalSize.Default : null);
        if (kind == "terminal")
        {
            await program.SeeAsync("ready");
            await program.TypeAsync("{\"type\":\"ping\"}\n");
            await program.SeeAsync("pong");
            await program.TypeAsync("\u0004");
        }

        Assert.That(await program.ExitAsync(), Is.EqualTo(new ExitStatus(0)), program.Text + program.ErrorText);
        Assert.That(program.Text, Does.Contain("{\"type\": \"pong\""));
    }
}
