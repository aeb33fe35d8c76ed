using System.Buffers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FurtherLink.Load.Peers;

/// <summary>This project's published host, over its own protocol and plain HTTP, with its defaults.</summary>
internal sealed class FurtherLinkPeer : IPeer
{
    private readonly string _state = Directory.CreateTempSubdirectory("furtherlink-load-").FullName;

    /// <summary>Starts the host.</summary>
    /// <param name="host">Its published executable.</param>
    /// <param name="wait">Whether to wait until it listens.</param>
    public FurtherLinkPeer(string host, bool wait = true)
    {
        string[] Arguments(int port) =>
            ["serve", "--no-tls", "--port", $"{port}", "--work-dir", _state, "--state-dir", Path.Combine(_state, "state")];
        Server = wait ? ServerProcess.Start(host, Arguments) : ServerProcess.Launch(host, Arguments);
    }

    /// <inheritdoc/>
    public string Name => "FurtherLink";

    /// <inheritdoc/>
    public ServerProcess Server { get; }

    /// <inheritdoc/>
    public Link Open(string command, bool terminal)
    {
        var link = Connect(terminal);
        link.Start("1", command);
        link.Await("started", "1");
        return link;
    }

    /// <summary>Connects.</summary>
    public MessageLink Connect(bool terminal = false) => new(Server.Connect(), terminal ? "/run?pty=1&extensions=missed" : "/run?extensions=missed");

    /// <inheritdoc/>
    public void Dispose()
    {
        Server.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    /// <summary>A connection of the native protocol, with programs called "1", "2" and so on.</summary>
    internal sealed class MessageLink(Socket socket, string path) : WebSocketLink(socket, path, binary: false)
    {
        private static ReadOnlySpan<byte> OutputStart => "\"output\": \""u8;
        private readonly ArrayBufferWriter<byte> _text = new(1 << 17);
        private string? _awaited;
        private bool _sendAsIs;

        /// <summary>Sends a message.</summary>
        public void SendMessage(string message)
        {
            _sendAsIs = true;
            Send(Encoding.UTF8.GetBytes(message));
            _sendAsIs = false;
        }

        /// <summary>Starts a program.</summary>
        /// <param name="name">What it is called here.</param>
        /// <param name="command">A command line for sh, without quotes.</param>
        public void Start(string name, string command) => StartProgram(name, $"\"sh\",\"-c\",\"{command}\"");

        /// <summary>Starts a program without a shell.</summary>
        /// <param name="name">What it is called here.</param>
        /// <param name="words">The program and its arguments, as JSON texts with commas between.</param>
        public void StartProgram(string name, string words) =>
            SendMessage($$$"""{"type":"start","process":"{{{name}}}","data":{"runner":"program","path":"/tmp","args":[{{{words}}}]}}""");

        /// <summary>Waits for a message of a type.</summary>
        /// <param name="type">Which.</param>
        /// <param name="name">Of which program; null: of any.</param>
        /// <returns>The message.</returns>
        public string Await(string type, string? name = null)
        {
            while (true)
            {
                _awaited = null;
                if (!Take(out _))
                {
                    if (!Fill())
                        throw new InvalidOperationException($"the connection has ended before \"{type}\"");
                    continue;
                }
                if (_awaited is { } message && message.Contains("\"type\": \"error\"", StringComparison.Ordinal))
                    throw new InvalidOperationException(message);
                if (_awaited is { } found && found.Contains($"\"type\": \"{type}\"", StringComparison.Ordinal)
                    && (name is null || found.Contains($"\"process\": \"{name}\"", StringComparison.Ordinal)))
                {
                    return found;
                }
            }
        }

        /// <inheritdoc/>
        protected override int WriteMessage(ReadOnlySpan<byte> input, Span<byte> message)
        {
            if (_sendAsIs)
                return base.WriteMessage(input, message);
            var prefix = """{"type":"stdin","process":"1","data":{"input":"""u8;
            prefix.CopyTo(message);
            var written = prefix.Length;
            message[written++] = (byte)'"';
            if (input.IndexOfAny("\"\\\n"u8) < 0)
            {
                input.CopyTo(message[written..]);
                written += input.Length;
                input = default;
            }
            foreach (var character in input)
            {
                if (character is (byte)'"' or (byte)'\\')
                    message[written++] = (byte)'\\';
                if (character == (byte)'\n')
                {
                    message[written++] = (byte)'\\';
                    message[written++] = (byte)'n';
                }
                else
                {
                    message[written++] = character;
                }
            }
            "\"}}"u8.CopyTo(message[written..]);
            return written + 3;
        }

        /// <inheritdoc/>
        protected override int OutputOf(ReadOnlySpan<byte> message)
        {
            if (message.StartsWith("{\"type\": \"stdout\""u8))
            {
                var start = message.IndexOf(OutputStart) + OutputStart.Length;
                return message[start..].LastIndexOf("\"}"u8);
            }
            if (message.StartsWith("{\"type\": \"missed\""u8))
                throw new InvalidOperationException("output was missed: " + Encoding.UTF8.GetString(message));
            _awaited = Encoding.UTF8.GetString(message);
            return message.StartsWith("{\"type\": \"stopped\""u8) ? -1 : 0;
        }

        /// <inheritdoc/>
        protected override void HashMessage(ReadOnlySpan<byte> message, IncrementalHash hash)
        {
            if (!message.StartsWith("{\"type\": \"stdout\""u8))
                return;
            var reader = new Utf8JsonReader(message);
            while (reader.Read() && !(reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("output"u8)))
            {
            }
            reader.Read();
            _text.ResetWrittenCount();
            var count = reader.CopyString(_text.GetSpan(message.Length));
            hash.AppendData(_text.GetSpan(message.Length)[..count]);
        }
    }
}
