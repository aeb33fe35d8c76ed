using System.Net.Sockets;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Processes;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Stdio;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class UnixSocketTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["link.sock"];

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Connect_OwnUser_DrivesUnderItsName()
    {
        await using var host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\necho hi", session = new { whenDetached = "keep" } });
        var presence = await client.UntilAsync("presence", "1");
        Assert.That((string?)presence["data"]!["members"]![0]!["name"], Is.EqualTo(UserAccount.Current.Name));
        Assert.That((await client.RunAsync("1")).Output, Is.EqualTo("hi\n"));
    }

    [Test]
    public async Task Connect_OtherUser_RunsAsItselfAlone()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"only root can be another user, and the tests run as uid {UserAccount.Current.Uid}");
        await using var host = await ServeAsync();
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        Assert.That(await AskAsync("daemon"), Does.Contain("PermissionError"), "the file's mode alone keeps others out");
        File.SetUnixFileMode(Path, (UnixFileMode)0b110_110_110);
        var answer = await AskAsync("daemon");
        Assert.That(answer, Does.Contain("""{"output": "daemon\n"}""").And.Match("""running as \\?"root\\?" is not allowed to daemon"""));
    }

    [Test]
    public async Task Connect_OtherUserWhoMayNot_IsToldSo()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"only root can be another user, and the tests run as uid {UserAccount.Current.Uid}");
        await using var host = await ServeAsync(new NoOthers());
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Path, (UnixFileMode)0b110_110_110);
        Assert.That(await AskAsync("daemon"), Does.Match("""^\{"type": "error", .*"you are 1".*\}\n$"""));
        await using var client = await ConnectAsync();
        await client.PingAsync();
    }

    [Test]
    public async Task Input_EndsWhileAProgramRuns_TheExitIsToldAndTheConnectionEnds()
    {
        await using var host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho up; sleep 1000");
        await client.OutputUntilAsync("up");
        ((LineWire)client.Wire).Socket!.Shutdown(SocketShutdown.Send);
        Assert.That((await client.RunAsync("1")).ExitCode, Is.EqualTo(-15));
        Assert.That(await client.NextAsync(), Is.Null);
    }

    [Test]
    public async Task Input_EndsBehindAStart_WhatWasAskedIsAnswered()
    {
        await using var host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.StartAsync("1", "exec", "#!/bin/sh\nsleep 1000");
        await client.SendAsync("list");
        ((LineWire)client.Wire).Socket!.Shutdown(SocketShutdown.Send);
        var types = new List<string?>();
        while (await client.NextAsync() is { } message)
            types.Add((string?)message["type"]);
        Assert.That(types, Is.SupersetOf(new[] { "started", "sessions", "stopped" }));
        Assert.That(types[^1], Is.EqualTo("stopped"));
    }

    [Test]
    public async Task Client_Vanishes_ProgramsThatEndWithItDoAndOthersGoOn()
    {
        await using var host = await ServeAsync();
        await using (var client = await ConnectAsync())
        {
            await client.StartAsync("1", "exec", "#!/bin/sh\necho up; sleep 1000");
            await client.OutputUntilAsync("up");
            await client.SendAsync("start", "2", new { runner = "exec", code = "#!/bin/sh\necho up; read line; echo $line", session = new { whenDetached = "keep", name = "kept" } });
            await client.OutputUntilAsync("up");
        }

        await Patience.UntilAsync(() => host.Sessions.Sessions.All(session => session.Info.Name == "kept" || session.Info.Exit is not null), "the end of the first program");
        await using var next = await ConnectAsync();
        await next.SendAsync("attach", "k", new { session = "kept" });
        await next.InputAsync("k", "still here\n");
        Assert.That((await next.RunAsync("k")).Output, Is.EqualTo("up\nstill here\n"));
    }

    [Test]
    public async Task Output_Of15Megabytes_ArrivesWhole()
    {
        await using var host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.StartAsync("1", "exec", "#!/bin/sh\nseq 1 2000000");
        var (output, _, code) = await client.RunAsync("1");
        Assert.That(code, Is.Zero);
        Assert.That(output, Has.Length.GreaterThan(14_500_000));
        var expected = SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(1, 2_000_000).Select(number => $"{number}\n"))));
        Assert.That(SHA256.HashData(Encoding.UTF8.GetBytes(output)), Is.EqualTo(expected));
    }

    [Test]
    public async Task Stop_ProgramRuns_TheExitIsToldAndTheSocketRemoved()
    {
        var host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho up; sleep 1000");
        await client.OutputUntilAsync("up");
        var stopping = host.StopAsync();
        Assert.That((await client.RunAsync("1")).ExitCode, Is.EqualTo(-15));
        Assert.That(await client.NextAsync(), Is.Null);
        await client.DisposeAsync();
        await stopping.WaitAsync(Patience.Long);
        Assert.That(File.Exists(Path), Is.False);
        await host.DisposeAsync();
    }

    [Test]
    public async Task Start_AnotherServerHasThePath_Fails()
    {
        await using var host = await ServeAsync();
        Assert.That(async () => await ServeAsync(), Throws.InstanceOf<IOException>().With.Message.Contains("another server"));
        await using var client = await ConnectAsync();
        await client.PingAsync();
    }

    // Starts "id -un" as itself and as root, and gives the answers and errors.
    private async Task<string> AskAsync(string user)
    {
        await using var rig = new ProgramRig { User = UserAccount.TryFind(user)! };
        var program = await rig.PythonAsync($$"""
            import socket
            s = socket.socket(socket.AF_UNIX)
            s.connect("{{Path}}")
            s.sendall(b'{"type":"start","process":"1","data":{"runner":"exec","code":"#!/bin/sh\\nid -un"} }\n')
            s.sendall(b'{"type":"start","process":"2","data":{"runner":"exec","code":"#!/bin/sh\\nid -un","user":"root"} }\n')
            for line in s.makefile():
                print(line, end="")
                if '"stopped"' in line:
                    break
            """);
        await program.ExitAsync();
        return program.Text + program.ErrorText;
    }

    private async Task<TestHost> ServeAsync(IAuthenticator? authenticator = null)
    {
        var host = new TestHost(builder =>
        {
            if (authenticator is not null)
                builder.Services.AddSingleton(authenticator);
            builder.AddUnixSocket(Path);
        }, options => options.TempDirectory = "/tmp");
        try
        {
            await host.ListenAsync("ws");
            return host;
        }
        catch
        {
            await host.DisposeAsync().AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
            throw;
        }
    }

    private async Task<FurtherTestClient> ConnectAsync() => new(await LineWire.ConnectAsync(Path));

    private sealed class NoOthers : IAuthenticator
    {
        public ValueTask<ClaimsPrincipal> AuthenticateAsync(Credentials credentials, Caller caller, CancellationToken cancellationToken) =>
            credentials is LocalCredentials { Uid: 0 } && caller == new Caller("unix", IsLocal: true)
                ? ValueTask.FromResult(Rights.Grant("root", Access.Own))
                : throw new LinkException(FailureCode.Denied, $"you are {((LocalCredentials)credentials).Uid}");
    }
}
