using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;

namespace FurtherLink.Tests.Support;

/// <summary>
/// A client that follows one session over as many connections as it takes: it counts offsets, acknowledges, and hashes what it gets, which
/// must be ASCII. Fast enough for gigabytes.
/// </summary>
internal sealed class DurableClient(Func<Uri> address, string query) : IDisposable
{
    private static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _text = new byte[256 * 1024];
    private byte[] _frame = new byte[256 * 1024];
    private ClientWebSocket? _socket;
    private long _acknowledged;

    /// <summary>Where the next byte belongs.</summary>
    public long Position { get; private set; }

    /// <summary>The session's global id.</summary>
    public string? Session { get; private set; }

    /// <summary>The last piece of output.</summary>
    public string LastText { get; private set; } = "";

    public int? ExitCode { get; private set; }

    public int Connections { get; private set; }

    public string Hash => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Acknowledges after so many bytes; 0 = never.</summary>
    public long AcknowledgeEach { get; init; }

    /// <summary>Starts a program.</summary>
    public async Task StartAsync(object data)
    {
        await ConnectAsync();
        await SendAsync(new { type = "start", process = "1", data });
    }

    /// <summary>Goes on where it was.</summary>
    public async Task AttachAsync(string session, string? clientId = null, string? mode = null)
    {
        Session = session;
        await ConnectAsync();
        await SendAsync(new { type = "attach", process = "1", data = new { session, from = Position, clientId, mode } });
    }

    public Task SendAsync(object message) =>
        _socket!.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, Options), WebSocketMessageType.Text, true, CancellationToken.None);

    /// <summary>Breaks the connection without a word.</summary>
    public void Cut()
    {
        _socket?.Abort();
        _socket?.Dispose();
        _socket = null;
    }

    /// <summary>Reads until a position, or the program's end.</summary>
    public async Task ReadAsync(long until)
    {
        while (Position < until && ExitCode is null)
            await ReadOneAsync();
    }

    /// <summary>Reads one message.</summary>
    /// <returns>Its type.</returns>
    public async Task<string> ReadOneAsync()
    {
        var length = 0;
        while (true)
        {
            if (length == _frame.Length)
                Array.Resize(ref _frame, _frame.Length * 2);
            var part = await _socket!.ReceiveAsync(_frame.AsMemory(length), CancellationToken.None).AsTask().WaitAsync(LiveClient.Patience);
            if (part.MessageType is WebSocketMessageType.Close)
                throw new WebSocketException("closed");
            length += part.Count;
            if (part.EndOfMessage)
                break;
        }

        var type = Take(_frame.AsSpan(0, length));
        if (AcknowledgeEach > 0 && Position - _acknowledged >= AcknowledgeEach)
        {
            _acknowledged = Position;
            await SendAsync(new { type = "ack", process = "1", data = new { offset = Position } });
        }

        return type;
    }

    public void Dispose()
    {
        Cut();
        _hash.Dispose();
    }

    private async Task ConnectAsync()
    {
        Connections++;
        _acknowledged = Position;
        _socket = new ClientWebSocket();
        await _socket.ConnectAsync(new Uri(address(), query), CancellationToken.None).WaitAsync(LiveClient.Patience);
    }

    private string Take(ReadOnlySpan<byte> frame)
    {
        var json = new Utf8JsonReader(frame);
        string type = "";
        var written = 0;
        long from = 0;
        long to = 0;
        while (json.Read())
        {
            if (json.TokenType is not JsonTokenType.PropertyName)
                continue;
            if (json.ValueTextEquals("type"u8))
            {
                json.Read();
                type = type.Length == 0 ? json.GetString()! : type;
            }
            else if (json.ValueTextEquals("output"u8))
            {
                json.Read();
                written = json.CopyString(_text);
            }
            else if (json.ValueTextEquals("from"u8))
            {
                json.Read();
                from = json.GetInt64();
            }
            else if (json.ValueTextEquals("to"u8))
            {
                json.Read();
                to = json.GetInt64();
            }
            else if (json.ValueTextEquals("id"u8))
            {
                json.Read();
                Session ??= json.GetString();
            }
            else if (json.ValueTextEquals("exitCode"u8) && type == "stopped")
            {
                json.Read();
                ExitCode = json.GetInt32();
            }
        }

        if (type is "stdout")
        {
            Assert.That((from, to - from), Is.EqualTo((Position, (long)written)), "output goes on where it was, and its offsets are its length");
            _hash.AppendData(_text.AsSpan(0, written));
            LastText = written < 1000 ? System.Text.Encoding.ASCII.GetString(_text, 0, written) : "";
            Position = to;
        }
        else if (type is "missed" or "error")
        {
            Assert.Fail(System.Text.Encoding.UTF8.GetString(frame));
        }

        return type;
    }
}
