using System.Globalization;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>What programs leave behind in a server that many have been started in: nothing, in a process of its own that is looked at from outside.</summary>
[TestFixture]
internal sealed class ExistingServerFaultTestsLeaks
{
    [Test]
    public async Task Cycles_OverOneWebSocket_LeaveNothingBehind([Values] bool terminal)
    {
        var cycles = SoakSize.Of(shortForm: 100, longForm: 1000);
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.ServeAsync(folder.Path, "--port 0 --no-tls --temp-dir temp --work-dir work");
        await using var client = await LiveClient.ConnectAsync(new UriBuilder(host.Address) { Scheme = "ws", Path = "/run", Query = terminal ? "pty=1" : "" }.Uri);

        // What is made once is made by the first of each kind.
        for (var i = 0; i < 10; i++)
            await CycleAsync(client, i);
        await client.PingAsync();
        var before = await SettledAsync(host, folder, _ => true);
        for (var i = 0; i < cycles; i++)
            await CycleAsync(client, i);
        var after = await SettledAsync(host, folder, census => census with { Threads = before.Threads, Descriptors = before.Descriptors } == before);
        TestContext.Out.WriteLine($"{cycles} cycles: {before} before, {after} after");

        Assert.That(after with { Threads = before.Threads, Descriptors = before.Descriptors }, Is.EqualTo(before));
        // The thread pool comes and goes by itself, and the runtime opens a file now and then, whatever the number of cycles: a leak is one in each
        // cycle of a kind, at least a fifth of all.
        Assert.That(after.Descriptors, Is.LessThanOrEqualTo(before.Descriptors + 8));
        Assert.That(after.Threads, Is.LessThanOrEqualTo(before.Threads + 16));
    }

    private static async Task CycleAsync(LiveClient client, int number)
    {
        switch (number % 5)
        {
            case 0:
                // With pictures, keys, and code that is stopped.
                var python = await client.PythonAsync("from further_link import KeyboardButton, channels\nKeyboardButton('a')\nchannels.send('video', 'picture')\ninput('? ')");
                await python.NoticeAsync("video", "picture");
                await python.KeyAsync("a", "keydown");
                await python.SeeAsync("? ");
                await EndAsync(python, -15);
                break;
            case 1:
                var parent = await client.ShellAsync("sleep 1000 & (setsid sleep 1000 &); (trap '' TERM; sleep 1000) & echo ready; exec sleep 1000");
                await parent.SeeAsync("ready");
                await EndAsync(parent, -15);
                break;
            case 2:
                var stubborn = await client.ShellAsync("trap '' TERM; echo ready; while :; do sleep 1000; done");
                await stubborn.SeeAsync("ready");
                await EndAsync(stubborn, -9);
                break;
            case 3:
                // A person's own shell may take its time to come up: every other one is a script's.
                var shell = number % 2 == 0 ? await client.StartAsync("shell") : await client.ShellAsync("read line; exit 3");
                await shell.TypeAsync("exit 3\n");
                Assert.That(await shell.ExitAsync(), Is.EqualTo(3));
                break;
            default:
                var failed = await client.StartAsync("exec", "no first line");
                Assert.That(failed.Errors, Has.Count.EqualTo(1));
                break;
        }
    }

    private static async Task EndAsync(LiveProgram program, int expected)
    {
        await program.StopAsync();
        Assert.That(await program.ExitAsync(), Is.EqualTo(expected));
    }

    /// <summary>The census once it is as expected, else the last one: what goes after a stopped takes its moment.</summary>
    private static async Task<Census> SettledAsync(HostProcess host, TemporaryFolder folder, Func<Census, bool> expected)
    {
        var deadline = DateTime.UtcNow + Patience.Long;
        while (true)
        {
            var census = Census.Of(host.Id, folder.Path);
            if (census.Processes == 0 && expected(census) || DateTime.UtcNow > deadline)
                return census;
            await Task.Delay(50);
        }
    }

    /// <summary>What the system knows of a server.</summary>
    /// <param name="Processes">Its children; orphans of programs are among them.</param>
    /// <param name="Threads">Its threads.</param>
    /// <param name="Descriptors">Its open files; the runtime's own, which it opens as it needs them, left out.</param>
    /// <param name="Sockets">Unix sockets with a name in its folder.</param>
    /// <param name="Files">Files and directories in its folder.</param>
    private sealed record Census(int Processes, int Threads, int Descriptors, int Sockets, int Files)
    {
        public static Census Of(int process, string folder)
        {
            var directory = $"/proc/{process.ToString(CultureInfo.InvariantCulture)}";
            var threads = Directory.GetDirectories(directory + "/task");
            return new Census(
                threads.Sum(ChildrenOf),
                threads.Length,
                Directory.EnumerateFileSystemEntries(directory + "/fd").Count(path => new FileInfo(path).LinkTarget is { } target && !target.EndsWith(".dll", StringComparison.Ordinal)),
                File.ReadLines("/proc/net/unix").Count(line => line.Contains(folder, StringComparison.Ordinal)),
                Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Count());
        }

        private static int ChildrenOf(string thread)
        {
            try
            {
                return File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
            }
            catch (IOException)
            {
                return 0; // the thread has ended, its children are those of another
            }
        }
    }
}
