using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using FurtherLink.Processes;
using FurtherLink.Processes.Children;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>Programs that work against being ended, as a user of their own under limits: whatever ends them, none is left, and who runs beside them does not notice.</summary>
[SupportedOSPlatform("linux")]
internal sealed class StormTests
{
    // No account has them, and of this fixture's tests one runs at a time.
    private const int FirstUid = 64_017;
    private const int MostUids = 100;
    private static readonly int MostProcesses = SoakSize.Of(shortForm: 150, longForm: 1000);

    // Forks every 50 ms one that leaves its session twice over and starts another before it rests, deaf to whatever can be ignored.
    private const string Storm = """
        import os, signal, time
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
        print('blows', flush=True)
        def again():
            try: return os.fork()
            except OSError: return -1
        while True:
            if again() == 0:
                os.setsid()
                if again() == 0:
                    os.setsid()
                    again()
                    for _ in range(1000): time.sleep(1)
                os._exit(0)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]: pass
            except ChildProcessError: pass
            time.sleep(0.05)
        """;

    // As fast as it can, each child does the same.
    private const string Bomb = """
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print('blows', flush=True)
        os.nice(19)
        while True:
            try:
                if os.fork() == 0: os.setsid()
            except OSError: pass
        """;

    // Hands on from child to child, and is never there for long.
    private const string Relay = """
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print('blows', flush=True)
        os.nice(19)
        while True:
            try:
                if os.fork(): os._exit(0)
                os.setsid()
            except OSError: pass
        """;

    private const string Stopped = """
        import os, signal, time
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.kill(os.getpid(), signal.SIGSTOP)
        print('blows', flush=True)
        time.sleep(1000)
        """;

    private const string Hogs = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        kept = []
        for _ in range(3):
            if os.fork() == 0: os.setsid(); break
        try:
            while True: kept.append(os.open('/dev/null', os.O_RDONLY))
        except OSError: pass
        try:
            while True: kept.append(bytearray(1 << 20))
        except MemoryError: del kept[-8:]
        print('blows', flush=True)
        time.sleep(1000)
        """;

    private static readonly string[] All = [Storm, Bomb, Relay, Stopped, Hogs];

    private static int _nextUid = FirstUid;
    private TemporaryFolder _folder = null!;
    private HostProcess? _host;

    [SetUp]
    public void SetUp()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"Only root can run programs as a user of their own, and the tests run as uid {UserAccount.Current.Uid}.");
        _folder = new TemporaryFolder();
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_folder is null)
            return;
        if (_host is not null)
            await _host.DisposeAsync();
        await StrayPrograms.KillAsync(Theirs, TimeProvider.System, CancellationToken.None);
        _folder.Dispose();
    }

    [Test]
    public async Task Term_InAForkStorm_EndsInTimeAndLeavesNothing()
    {
        var clients = SoakSize.Of(shortForm: 8, longForm: 30);
        _host = await ServeAsync();
        var connected = new List<FurtherTestClient>();
        for (var i = 0; i < clients; i++)
            connected.Add(await BlowAsync(Storm, FirstUid, MostProcesses));
        await Patience.UntilAsync(() => Theirs().Count >= MostProcesses - 30, "the storm");
        var clock = Stopwatch.StartNew();
        _host.Signal("TERM");
        await _host.ExitAsync();
        await TestContext.Out.WriteLineAsync($"{clients} clients: {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.That(Theirs(), Is.Empty);
        foreach (var client in connected)
            await client.DisposeAsync();
    }

    [Test]
    public async Task Stop_EveryKind_LeavesNothing()
    {
        _host = await ServeAsync();
        await using var beside = await EchoAsync(_host);
        var clients = await BlowAllAsync();
        await Task.WhenAll(clients.Select(async client =>
        {
            await client.SendAsync("stop", "1");
            await client.UntilAsync("stopped");
        }));
        await AssertGoneAsync(Echo.Sockets);
        await beside.CompleteAsync();
        await CloseAsync(clients);
    }

    [Test]
    public async Task Disconnect_EveryKind_LeavesNothing()
    {
        _host = await ServeAsync();
        await using var beside = await EchoAsync(_host);
        await CloseAsync(await BlowAllAsync());
        await AssertGoneAsync(Echo.Sockets);
        await beside.CompleteAsync();
    }

    [Test]
    public async Task Kill_EveryKind_LeavesNothingAfterTheNextStart()
    {
        using var folder = new TemporaryFolder();
        await using var other = await HostProcess.ServeAsync(folder.Path, "--port 0 --no-tls --temp-dir temp");
        await using var beside = await EchoAsync(other);
        _host = await ServeAsync();
        var clients = await BlowAllAsync();
        _host.Signal("KILL");
        await _host.ExitAsync();
        await _host.DisposeAsync();
        Assert.That(Theirs(), Is.Not.Empty, "some live on");
        Assert.That(Sockets(), Is.Not.Empty);
        var left = Sockets();
        _host = await ServeAsync();
        Assert.That(Theirs(), Is.Empty);
        Assert.That(Sockets().Intersect(left), Is.Empty);
        await beside.CompleteAsync();
        await CloseAsync(clients);
    }

    private static List<ProcEntry> Theirs() =>
        [.. ProcFs.Processes().Where(IsTheirs).Select(ProcFs.Read).OfType<ProcEntry>().Where(static process => !process.IsEnded)];

    private static bool IsTheirs(int pid)
    {
        try
        {
            var uids = File.ReadLines($"/proc/{pid}/status").First(static line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t');
            return int.Parse(uids[1], CultureInfo.InvariantCulture) is >= FirstUid and < FirstUid + MostUids;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return false;
        }
    }

    private List<string> Sockets() => [.. Directory.GetFiles(_folder["temp"], "*.sock", SearchOption.AllDirectories)];

    private async Task AssertGoneAsync(int socketsLeft)
    {
        await Patience.UntilAsync(static () => Theirs().Count == 0, "the end of all programs");
        await Patience.UntilAsync(() => Sockets().Count == socketsLeft, "the end of their sockets, and not of those beside");
    }

    private static async Task CloseAsync(IEnumerable<FurtherTestClient> clients)
    {
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    // Users of their own for each time: the system may count for a while what has ended.
    private async Task<List<FurtherTestClient>> BlowAllAsync()
    {
        _nextUid += All.Length;
        return [.. await Task.WhenAll(All.Select((code, number) => BlowAsync(code, _nextUid + number, SoakSize.Of(shortForm: 12, longForm: 300))))];
    }

    private async Task<FurtherTestClient> BlowAsync(string code, int uid, int mostProcesses)
    {
        var client = await ConnectAsync(_host!);
        await client.SendAsync("start", "1", new
        {
            runner = "program",
            args = new[] { "setpriv", $"--reuid={uid}", $"--regid={uid}", "--clear-groups", "prlimit", $"--nproc={mostProcesses}", "--nofile=64", "--as=100000000", "python3", "-c", code },
            path = "/",
        });
        await client.OutputUntilAsync("blows");
        return client;
    }

    private static async Task<Echo> EchoAsync(HostProcess host)
    {
        var client = await ConnectAsync(host);
        await client.SendAsync("start", "1", new { runner = "exec", path = "/bin/cat" });
        await client.UntilAsync("started");
        return new Echo(client);
    }

    private static async Task<FurtherTestClient> ConnectAsync(HostProcess host) =>
        new(await WebSocketWire.ConnectAsync(new UriBuilder(host.Address) { Scheme = "ws", Path = "/run", Query = "?extensions=sessions" }.Uri));

    private Task<HostProcess> ServeAsync() => HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls --temp-dir temp --work-dir work");

    /// <summary>A program beside, which answers all the time; what it answers must be what it was told.</summary>
    private sealed class Echo : IAsyncDisposable
    {
        private readonly FurtherTestClient _client;
        private readonly CancellationTokenSource _end = new();
        private readonly Task _talking;

        public Echo(FurtherTestClient client)
        {
            _client = client;
            _talking = Task.Run(TalkAsync);
        }

        /// <summary>How many sockets the program has.</summary>
        public static int Sockets => 2;

        public async Task CompleteAsync()
        {
            await _end.CancelAsync();
            await _talking.WaitAsync(Patience.Long);
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await ((Task)_talking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _client.DisposeAsync();
            _end.Dispose();
        }

        private async Task TalkAsync()
        {
            for (var i = 0; i == 0 || !_end.IsCancellationRequested; i++)
            {
                await _client.InputAsync("1", $"{i}\n");
                Assert.That(await _client.OutputUntilAsync("\n"), Is.EqualTo($"{i}\n"));
            }
        }
    }
}
