using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>
/// The device's side of the first four messages of a connection, all texts: its key; the gateway's challenge; the signature; the
/// gateway's "ok".
/// </summary>
/// <param name="identity">The device's key.</param>
/// <param name="stepTimeout">How long each message may take.</param>
/// <param name="time">The clock.</param>
internal sealed class DeviceHandshake(DeviceIdentity identity, TimeSpan stepTimeout, TimeProvider time)
{
    // A challenge has some dozen bytes; what is longer is no gateway's.
    private const int Longest = 64 * 1024;

    // Of a gateway's reason; more helps nobody in a log.
    private const int LongestReason = 300;

    private static readonly JsonEncodedText SignatureName = JsonEncodedText.Encode("signature");

    /// <summary>Runs it. Where it does not end with <see cref="HandshakeResult.Accepted"/>, the socket is of no further use.</summary>
    /// <param name="socket">The socket, open, with nothing sent or received.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was told to end.</exception>
    public async Task<HandshakeResult> RunAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var step = "take the key";
        try
        {
            await SendAsync(socket, Encoding.ASCII.GetBytes(identity.PublicKeyText), cancellationToken).ConfigureAwait(false);
            step = "send a challenge";
            var challenge = await ReceiveAsync(socket, cancellationToken).ConfigureAwait(false);
            if (challenge.Why is not null)
                return new HandshakeResult.Failed($"the gateway did not {step}: {challenge.Why}");
            if (FindChallenge(challenge.Text) is not { } text)
                return new HandshakeResult.Rejected(Printable(challenge.Text));
            step = "take the signature";
            await SendAsync(socket, Answer(text), cancellationToken).ConfigureAwait(false);
            step = "answer the signature";
            var verdict = await ReceiveAsync(socket, cancellationToken).ConfigureAwait(false);
            if (verdict.Why is not null)
                return new HandshakeResult.Failed($"the gateway did not {step}: {verdict.Why}");
            return verdict.Text.AsSpan().SequenceEqual("ok"u8) ? new HandshakeResult.Accepted() : new HandshakeResult.Rejected(Printable(verdict.Text));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new HandshakeResult.Failed($"the gateway did not {step} within {stepTimeout.TotalSeconds:0.###} s");
        }
        catch (Exception e) when (e is WebSocketException or IOException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new HandshakeResult.Failed($"the gateway did not {step}: {e.Message}");
        }
    }

    private async Task SendAsync(WebSocket socket, ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(stepTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, either.Token).ConfigureAwait(false);
    }

    private async Task<(byte[] Text, string? Why)> ReceiveAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(stepTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var text = new ArrayBufferWriter<byte>(1024);
        while (true)
        {
            var part = await socket.ReceiveAsync(text.GetMemory(1024), either.Token).ConfigureAwait(false);
            if (part.MessageType is WebSocketMessageType.Close)
                return ([], $"it closed the connection ({Close(socket)})");
            text.Advance(part.Count);
            if (text.WrittenCount > Longest)
                return ([], $"its message has more than {Longest} bytes");
            if (!part.EndOfMessage)
                continue;
            return part.MessageType is WebSocketMessageType.Text ? (text.WrittenSpan.ToArray(), null) : ([], "its message is binary");
        }
    }

    /// <summary>The challenge in a gateway's message; null where it holds none.</summary>
    private static string? FindChallenge(byte[] message)
    {
        try
        {
            using var json = JsonDocument.Parse(message);
            return json.RootElement.ValueKind is JsonValueKind.Object && json.RootElement.TryGetProperty("challenge", out var challenge)
                && challenge.ValueKind is JsonValueKind.String
                ? challenge.GetString()
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON; or a text with half a surrogate pair, which has no bytes to sign.
            return null;
        }
    }

    private ReadOnlyMemory<byte> Answer(string challenge)
    {
        var body = new ArrayBufferWriter<byte>();
        // Base64 as it is: "+" would become an escape.
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString(SignatureName, identity.Sign(challenge));
            json.WriteEndObject();
        }

        return body.WrittenMemory;
    }

    private static string Close(WebSocket socket) =>
        socket.CloseStatusDescription is { Length: > 0 } words
            ? $"{(int?)socket.CloseStatus}, {Printable(Encoding.UTF8.GetBytes(words))}"
            : $"{(int?)socket.CloseStatus ?? 1005}";

    // It goes to logs and terminals.
    private static string Printable(ReadOnlySpan<byte> text)
    {
        var words = new StringBuilder(Math.Min(text.Length, LongestReason));
        foreach (var rune in Encoding.UTF8.GetString(text).EnumerateRunes())
        {
            if (words.Length >= LongestReason)
                return words.Append('…').ToString();
            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format)
                words.Append(' ');
            else
                words.Append(rune.ToString());
        }

        return words.ToString().Trim() is { Length: > 0 } reason ? reason : "without a word";
    }
}
