using System.Security.Cryptography;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Commands;

/// <summary>"furtherlink run -- cat" passes on every byte, whichever way it goes, and whoever is slow.</summary>
[TestFixture]
internal sealed class PipedBytesTests
{
    // Only a hang reaches it; the long form takes a minute on a small machine.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(SoakSize.Of(1, 5));

    private TemporaryFolder _folder = null!;
    private CommandShell _shell = null!;
    private HostProcess _server = null!;

    [OneTimeSetUp]
    public async Task OneTimeSetUpAsync()
    {
        _folder = new TemporaryFolder();
        _shell = new CommandShell(_folder);
        _server = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0");
        await using var file = File.Create(_folder["bytes"]);
        var random = new Random(4711);
        var piece = new byte[1024 * 1024];
        for (var written = 0; written < SoakSize.Of(64, 1024); written++)
        {
            random.NextBytes(piece);
            await file.WriteAsync(piece);
        }
    }

    [OneTimeTearDown]
    public async Task OneTimeTearDownAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase("in process")]
    [TestCase("unix")]
    [TestCase("exec")]
    [TestCase("ws")]
    public async Task Bytes_ThroughCat_AreTheSame(string way)
    {
        Use(way);
        var (code, output, errors) = await _shell.RunAsync("furtherlink run -- cat < bytes | sha256sum | cut -d ' ' -f 1; echo ${PIPESTATUS[0]}", Limit);
        Assert.That((code, output, errors), Is.EqualTo((0, await HashAsync() + "\n0\n", "")));
    }

    [TestCase("in process")]
    [TestCase("exec")]
    public async Task Bytes_ThroughAProgramThatPauses_AreTheSame(string way)
    {
        Use(way);
        _folder.Write("pausing.py", $"""
            import shutil, sys, time
            sys.stdout.buffer.write(sys.stdin.buffer.read(100000))
            time.sleep({SoakSize.Of(3, 10)})
            shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
            """);
        var (code, output, errors) = await _shell.RunAsync("furtherlink run pausing.py < bytes | sha256sum | cut -d ' ' -f 1; echo ${PIPESTATUS[0]}", Limit);
        Assert.That((code, output, errors), Is.EqualTo((0, await HashAsync() + "\n0\n", "")));
    }

    [Test]
    public async Task Program_WhoseOutputIsNotRead_WaitsForItsReader()
    {
        // How far it may be ahead of its reader: the log, the window on both ways, pipes; far less than all that it writes.
        const int Ahead = 8;
        Use("ws");
        _folder.Write("writing.py", """
            import os, sys
            for written in range(64):
                os.write(2, b"%d\n" % written)
                left = memoryview(b"x" * 1048575 + b"\n")
                while left:
                    left = left[os.write(1, left):]
            """);
        var (_, output, errors) = await _shell.RunAsync(
            "furtherlink run --directory $PWD writing.py 2> progress | (for i in $(seq 64); do head -c 1048576 > piece; tail -1 progress; done)");
        Assert.That(errors, Is.Empty);
        var ahead = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select((written, read) => int.Parse(written) - read).ToList();
        Assert.That(ahead, Has.Count.EqualTo(64).And.All.LessThanOrEqualTo(Ahead));
    }

    private void Use(string way)
    {
        // In process is what is done where no server has this state directory.
        _shell.Variables["XDG_STATE_HOME"] = _folder[way == "in process" ? "alone" : "state"];
        _shell.Use(way switch
        {
            "ws" => $"ws://127.0.0.1:{_server.Address.Port}",
            "unix" => $"unix:{_folder["state/furtherlink/furtherlink.sock"]}",
            "exec" => CommandShell.OverStdio,
            _ => "",
        });
    }

    private async Task<string> HashAsync()
    {
        await using var file = File.OpenRead(_folder["bytes"]);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file));
    }
}
