using System.Diagnostics;
using System.Globalization;
using System.Text;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>POST /upload of one file, against a handler that copies the body to a file.</summary>
/// <param name="host">The published host.</param>
/// <param name="bare">The published BareServer.</param>
/// <param name="length">Bytes of the file.</param>
internal sealed class UploadMeasure(string host, string bare, int length) : IMeasure
{
    private FurtherLinkPeer? _peer;
    private ServerProcess? _bare;
    private byte[] _body = [];

    /// <inheritdoc/>
    public string Name => "upload";

    /// <inheritdoc/>
    public string Against => "a plain Kestrel POST";

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows { get; } = [new("upload", "MB/s", 0.8, 0.95, MoreIsBetter: true)];

    /// <inheritdoc/>
    public void Prepare()
    {
        _peer = new FurtherLinkPeer(host);
        _bare = ServerProcess.Start(bare, port => ["--urls", $"http://127.0.0.1:{port}"]);
        var line = "print('one line of a program that somebody has written')\\n";
        var text = new StringBuilder("""{"name":"load","files":{"program.py":{"type":"text","content":{"text":" """.TrimEnd());
        while (text.Length < length)
            text.Append(line);
        _body = Encoding.ASCII.GetBytes(text.Append("\"}}}}").ToString());
    }

    /// <inheritdoc/>
    public double[] Ours() => Post(_peer!.Server);

    /// <inheritdoc/>
    public double[] Other() => Post(_bare!);

    /// <inheritdoc/>
    public void Dispose()
    {
        _peer?.Dispose();
        _bare?.Dispose();
    }

    private double[] Post(ServerProcess server)
    {
        using var socket = server.Connect();
        var watch = Stopwatch.StartNew();
        socket.Send(Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {_body.Length}\r\n\r\n")));
        for (var sent = 0; sent < _body.Length;)
            sent += socket.Send(_body.AsSpan(sent));
        var buffer = new byte[4096];
        var answer = Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
        if (!answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            throw new InvalidOperationException("POST /upload: " + answer);
        return [_body.Length / 1e6 / watch.Elapsed.TotalSeconds];
    }
}
