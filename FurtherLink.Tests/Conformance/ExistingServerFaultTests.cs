using System.Globalization;
using FurtherLink.Processes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>
/// What clients of the existing server suffer from, which this one must not do: real programs, over real WebSockets. Each fixture has
/// one group of its faults. Foreign pages that run code are in <see cref="WebSockets.OriginTests"/>, names of packages that are options
/// in <see cref="WebSockets.HttpEndpointTests"/>, programs that do not read their pipe in <see cref="ConformanceTests"/>.
/// </summary>
internal abstract class ExistingServerFaultTests
{
    private const UnixFileMode Everybody = (UnixFileMode)0b001_111_111_111; // 1777, as /tmp

    protected TestHost Host { get; private set; } = null!;

    protected string Work => Path.Combine(Host.Folder, "work");

    protected string Temp => Path.Combine(Host.Folder, "tmp");

    [SetUp]
    public void SetUp() => Host = new TestHost(configure: options =>
    {
        File.SetUnixFileMode(options.TempDirectory, Everybody);
        File.SetUnixFileMode(options.WorkDirectory!, Everybody);
        options.MiniscreenProjectsDirectory = Path.Combine(options.WorkDirectory!, "../projects");
    });

    [TearDown]
    public async Task TearDown() => await Host.DisposeAsync();

    protected async Task<LiveClient> ConnectAsync(bool terminal = false, string? user = null) =>
        await LiveClient.ConnectAsync(new Uri(await Host.ListenAsync("ws"), $"/run?{(terminal ? "pty=1&" : "")}{(user is null ? "" : $"user={user}")}"));

    protected static void RequireRoot()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore("Only root can run programs as another user.");
    }

    /// <summary>Waits until none of these processes is there any more.</summary>
    protected static Task GoneAsync(IEnumerable<int> processes, string what)
    {
        var all = processes.ToList();
        return Patience.UntilAsync(() => !all.Exists(id => Directory.Exists($"/proc/{id}")), what);
    }

    /// <summary>The whole numbers that stand in a text, one a line.</summary>
    protected static List<int> Numbers(string text) =>
        [.. text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];
}
