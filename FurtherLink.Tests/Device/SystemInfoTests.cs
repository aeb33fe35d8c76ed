using System.Globalization;
using FurtherLink.Device;
using FurtherLink.Processes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class SystemInfoTests
{
    private const string Memory = """
        MemTotal:        1000000 kB
        MemFree:          200000 kB
        MemAvailable:     750000 kB
        Buffers:           10000 kB
        Cached:           300000 kB
        SwapCached:            1 kB
        Active:           400000 kB
        Inactive:         150000 kB
        Active(anon):          7 kB
        Shmem:             20000 kB
        Slab:              60000 kB
        SReclaimable:      40000 kB
        HugePages_Total:       0
        """;

    private readonly ManualTimeProvider _time = new();
    private TemporaryFolder _folder = null!;

    private UserAccount User => new("someone", 1234, 1234, _folder.Path, "/bin/somesh");

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Info_OfADevice_IsWhatItsFilesSay()
    {
        _folder.Write("proc/meminfo", Memory);
        _folder.Write("etc/os-release", "NAME=\"Other\"\nPRETTY_NAME=\"An \\\"OS\\\" 12\"\n");
        var info = await ReadAsync("cpu  100 10 40 800 50 0 0 0 7 7\ncpu0 1 2 3 4\n", "cpu  130 10 60 840 60 0 0 0 9 9\n");
        Assert.That(info.CpuPercent, Is.EqualTo(50), "50 of 100");
        Assert.That(info.Memory, Is.EqualTo(new MemoryUse
        {
            Total = 1_024_000_000,
            Available = 768_000_000,
            Percent = 25,
            Used = 450_000L * 1024,
            Free = 200_000L * 1024,
            Active = 400_000L * 1024,
            Inactive = 150_000L * 1024,
            Buffers = 10_000L * 1024,
            Cached = 340_000L * 1024,
            Shared = 20_000L * 1024,
            Slab = 60_000L * 1024,
        }));
        Assert.That(info.Description, Is.EqualTo(new SystemDescription("Linux", "An \"OS\" 12", info.Description.Architecture, "/bin/somesh", _folder.Path)));
        Assert.That(info.Disk.Total, Is.GreaterThan(0));
        Assert.That(info.Disk.Used + info.Disk.Free, Is.LessThanOrEqualTo(info.Disk.Total));
        Assert.That(info.Disk.Percent, Is.InRange(0, 100));
    }

    [Test]
    public async Task Info_WithoutAnyFile_IsZero()
    {
        var info = await ReadAsync(null, null, User with { Home = _folder["missing"] });
        Assert.That(info, Is.EqualTo(new SystemInfo(
            0, new MemoryUse(), new DiskUse(0, 0, 0, 0), new SystemDescription("Linux", "", info.Description.Architecture, "/bin/somesh", _folder["missing"]))));
    }

    [TestCase("")]
    [TestCase("cpu")]
    [TestCase("cpu \n")]
    [TestCase("cpu  1 2 3\n")]
    [TestCase("cpu  a b c d e f\n")]
    [TestCase("cpu  -1 -2 -3 -4\n")]
    [TestCase("intr 1 2 3 4 5 6\n")]
    [TestCase("cpu  99999999999999999999 1 1 1\n")]
    [TestCase("cpu  9223372036854775807 9223372036854775807 9223372036854775807 9223372036854775807\n")]
    public async Task Info_WithStrangeFiles_IsNoError(string text)
    {
        _folder.Write("proc/meminfo", text + "\nMemTotal: 99999999999999999999 kB\nMemFree:\n: : :\n\0");
        _folder.Write("etc/os-release", text + "\nPRETTY_NAME=\"\nPRETTY_NAME");
        var info = await ReadAsync(text, text);
        Assert.That((info.CpuPercent, info.Memory.Total, info.Description.Version), Is.EqualTo((0.0, 0L, "\"")));
    }

    [Test]
    public async Task Info_WithCountersThatRunBack_StaysWithinBounds()
    {
        var info = await ReadAsync("cpu  100 0 0 900 0 0 0 0\n", "cpu  200 0 0 890 0 0 0 0\n");
        Assert.That(info.CpuPercent, Is.EqualTo(100));
        info = await ReadAsync("cpu  100 0 0 900 0 0 0 0\n", "cpu  50 0 0 100 0 0 0 0\n");
        Assert.That(info.CpuPercent, Is.Zero);
    }

    [TestCase("PRETTY_NAME=plain", "plain")]
    [TestCase("PRETTY_NAME='single \\ \"quotes\"'", "single \\ \"quotes\"")]
    [TestCase("PRETTY_NAME=\"a \\$ b\\\\\"\r", "a $ b\\")]
    [TestCase("PRETTY_NAME=", "")]
    [TestCase("XPRETTY_NAME=x\nPRETTY_NAMES=y\n#PRETTY_NAME=z", null)]
    public void Release_OfAName_IsUnquoted(string text, string? value) =>
        Assert.That(SystemFiles.Release(text, "PRETTY_NAME"), Is.EqualTo(value));

    [Test]
    public async Task Info_OfThisDevice_IsWhatTheSystemSays()
    {
        var info = await SystemInfo.ReadAsync(UserAccount.Current, TimeProvider.System).WaitAsync(Patience.Long);
        Assert.That(info.CpuPercent, Is.InRange(0, 100));
        var total = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        Assert.That(info.Memory.Total, Is.EqualTo(long.Parse(total, CultureInfo.InvariantCulture) * 1024));
        Assert.That(info.Memory.Available, Is.InRange(1, info.Memory.Total));
        Assert.That(info.Disk.Total, Is.GreaterThan(0));
        Assert.That(info.Description.Version, Is.Not.Empty);
        Assert.That(info.Description.Home, Is.EqualTo(UserAccount.Current.Home));
        Assert.That(info.Description.Architecture, Does.Match("^[a-z0-9_]+$"));
    }

    [Test]
    public void Info_ToldToEnd_Throws()
    {
        using var end = new CancellationTokenSource();
        var reading = SystemInfo.ReadAsync(User, _time, end.Token);
        end.Cancel();
        Assert.That(async () => await reading, Throws.InstanceOf<OperationCanceledException>());
    }

    private async Task<SystemInfo> ReadAsync(string? before, string? after, UserAccount? user = null)
    {
        if (before is not null)
            _folder.Write("proc/stat", before);
        var reading = new SystemFiles(_folder.Path).ReadAsync(user ?? User, _time, CancellationToken.None);
        Assert.That(reading.IsCompleted, Is.False);
        if (after is not null)
            _folder.Write("proc/stat", after);
        _time.Advance(SystemInfo.Interval);
        return await reading.WaitAsync(Patience.Long);
    }
}
