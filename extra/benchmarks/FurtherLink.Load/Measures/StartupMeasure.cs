using System.Diagnostics;
using System.Text;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>From the start of the host's process to its first answer of GET /status, against the smallest server of the same framework.</summary>
/// <param name="host">The published host.</param>
/// <param name="bare">The published BareServer.</param>
internal sealed class StartupMeasure(string host, string bare) : IMeasure
{
    /// <inheritdoc/>
    public string Name => "startup";

    /// <inheritdoc/>
    public string Against => "a bare CreateSlimBuilder app";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } = [new("exec of the host to the first /status", "ms", 1.3, 0.75), new("size of the published host", "MiB")];

    /// <inheritdoc/>
    public void Prepare()
    {
    }

    /// <inheritdoc/>
    public double[] Ours()
    {
        var watch = Stopwatch.StartNew();
        using var peer = new FurtherLinkPeer(host, wait: false);
        return [Answer(peer.Server, watch), Size(host)];
    }

    /// <inheritdoc/>
    public double[] Other()
    {
        var watch = Stopwatch.StartNew();
        using var server = ServerProcess.Launch(bare, port => ["--urls", $"http://127.0.0.1:{port}"]);
        return [Answer(server, watch), Size(bare)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static double Size(string executable) =>
        new FileInfo(executable).Directory!.EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length) / 1048576.0;

    private static double Answer(ServerProcess server, Stopwatch watch)
    {
        using var socket = server.Connect();
        socket.Send("GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8);
        var buffer = new byte[4096];
        var answer = Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
        if (!answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            throw new InvalidOperationException("GET /status: " + answer);
        return watch.Elapsed.TotalMilliseconds;
    }
}
