using System.Buffers;
using System.Text;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Codecs.Further;

/// <summary>Whatever comes, the answer is a message or a refusal: no crash, no hang, never another message.</summary>
public sealed class FurtherFuzzTests
{
    private static readonly string[] Samples =
    [
        "{\"type\": \"ping\"}",
        "{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"python3\", \"code\": \"print('é😀 \\u00e9\\ud83d\\ude00')\\n\", \"path\": \"a/b\"}}",
        "{\"type\": \"start\", \"process\": \"é\", \"data\": {\"runner\": \"shell\", \"novncOptions\": {\"enabled\": true, \"width\": 640, \"height\": 480}, \"extensions\": [\"missed\"]}}",
        "{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"ls\\r\\u0003\", \"end\": true}}",
        "{\"type\": \"resize\", \"process\": \"1\", \"data\": {\"rows\": 24, \"cols\": 80}}",
        "{\"type\": \"keyevent\", \"process\": \"1\", \"data\": {\"key\": \"ArrowUp\", \"event\": \"keydown\"}}",
        "{\"type\": \"stop\", \"process\": \"1\"}",
        "{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"exec\", \"clientId\": \"m\\u00e9\", \"window\": 4096, \"delivery\": \"latest\", "
        + "\"session\": {\"whenDetached\": \"keep\", \"grace\": 1.5, \"name\": \"é\", \"size\": \"fixed\", \"allDrive\": true, \"recordInput\": false}}}",
        "{\"type\": \"attach\", \"process\": \"1\", \"data\": {\"session\": \"x\", \"from\": 77, \"mode\": \"view\", \"screen\": true, \"extensions\": [\"ack\"]}}",
        "{\"type\": \"attach\", \"process\": \"1\", \"data\": {\"session\": \"x\", \"from\": \"now\"}}",
        "{\"type\": \"detach\", \"process\": \"1\"}",
        "{\"type\": \"list\"}",
        "{\"type\": \"ack\", \"process\": \"1\", \"data\": {\"offset\": 5000000000}}",
        "{\"type\": \"request\", \"process\": \"1\"}",
        "{\"type\": \"grant\", \"process\": \"1\", \"data\": {\"member\": 2}}",
        "{\"type\": \"take\", \"process\": \"1\"}",
        "{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"input\": \"x\", \"seq\": 12}}",
        "{\"type\": \"stdin\", \"process\": \"1\", \"data\": {\"base64\": \"AP8\\u002b\\/w==\", \"seq\": 1}, \"ref\": \"r\\u00e9\"}",
        "{\"type\": \"hello\", \"data\": {\"extensions\": [\"sessions\", \"bytes\"], \"client\": \"m\\u00e9\", \"delivery\": \"latest\"}, \"ref\": \"1\"}",
        "{\"type\": \"signal\", \"process\": \"1\", \"data\": {\"signal\": 2}}",
        "{\"type\": \"signal\", \"process\": \"1\", \"data\": {\"signal\": \"SIGT\\u0045RM\"}}",
        "{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"program\", \"args\": [\"ls\", \"é\\ud83d\\ude00\", \"\"], \"env\": {\"A\": \"1\", \"B\\u00e9\": null}, "
        + "\"user\": \"pi\", \"terminal\": {\"rows\": 24, \"cols\": 80}, \"session\": {\"id\": \"a-Z_9\"}}, \"ref\": \"2\"}",
        "{\"type\": \"start\", \"process\": \"1\", \"data\": {\"runner\": \"shell\", \"terminal\": false}}",
        "{\"type\": \"uploadBegin\", \"data\": {\"name\": \"d\\u00e9\", \"user\": \"pi\"}, \"ref\": \"1\"}",
        "{\"type\": \"uploadFile\", \"data\": {\"upload\": \"u1\", \"path\": \"a/b\", \"text\": \"x\\n\", \"executable\": true}}",
        "{\"type\": \"uploadFile\", \"data\": {\"upload\": \"u1\", \"path\": \"a/b\", \"base64\": \"AP8=\"}}",
        "{\"type\": \"uploadEnd\", \"data\": {\"upload\": \"u1\"}}",
        "{\"type\": \"upload\\u0043ancel\", \"data\": {\"upload\": \"u1\"}}",
        "{\"type\": \"start\", \"data\": {\"sourceScript\": \"x\", \"directoryName\": \"d\"}}",
        "{\"type\": \"start\", \"data\": {\"sourcePath\": \"x.py\"}}",
        "{\"type\": \"upload\", \"data\": {\"directory\": {\"name\": \"d\", \"files\": {}}, \"user\": \"pi\"}}",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "5.5", "1e99", "65535", "65536", "\"\"", "\"1\"", "\"stdin\"", "\"stop\"", "\"\\ud800\"", "\"\\u0000\"", "\"😀\"", "[]", "{}",
        "\"now\"", "\"keep\"", "\"view\"", "{\"whenDetached\": \"pause\", \"grace\": 5}", "9223372036854775808",
        "{\"rows\": 1, \"cols\": 2}", "[\"a\", \"\\u0062\"]", "[\"\\ud800\"]", "{\"A\": \"\\u0062\", \"A\": null}", "{\"\\ud800\": \"x\"}", "\"AAEC\"", "\"INT\"", "{\"id\": \"a\"}",
        "{\"input\": \"x\"}", "[{\"type\": \"ping\"}]", "{\"enabled\": true}",
    ];

    private static IEnumerable<Func<CodecHarness>> Codecs() => [() => CodecHarness.Run(), CodecHarness.RunPy];

    [Test]
    public void Message_CutAtAnyByte_IsABadMessage()
    {
        foreach (var make in Codecs())
        {
            var codec = make();
            foreach (var sample in Samples)
            {
                var bytes = Encoding.UTF8.GetBytes(sample);
                for (var length = 0; length < bytes.Length; length++)
                    Assert.That(codec.Refuse(new ReadOnlySequence<byte>(bytes, 0, length)).Code, Is.EqualTo(FailureCode.BadMessage), $"{sample} cut at {length}");
            }
        }
    }

    [Test]
    public void Message_WithAnyByteChanged_IsRefusedOrWhatItThenSays()
    {
        foreach (var make in Codecs())
        {
            var codec = make();
            foreach (var sample in Samples)
            {
                var bytes = Encoding.UTF8.GetBytes(sample);
                for (var at = 0; at < bytes.Length; at++)
                {
                    var kept = bytes[at];
                    foreach (var value in Enumerable.Range(0, 8).Select(bit => (byte)(kept ^ (1 << bit))).Concat("{}[]\":,\\u01 \n\0"u8.ToArray()))
                    {
                        bytes[at] = value;
                        Check(codec, bytes);
                    }
                    bytes[at] = kept;
                }
            }
        }
    }

    [Test]
    public void Message_OfRandomJson_IsRefusedOrWhatItSays()
    {
        var random = Seeded();
        foreach (var make in Codecs())
        {
            var codec = make();
            for (var i = 0; i < 5_000; i++)
                Check(codec, Encoding.UTF8.GetBytes(RandomMessage(random)));
        }
    }

    [Test]
    public void Message_OfSpoiltSamples_IsRefusedOrWhatItThenSays()
    {
        var random = Seeded();
        foreach (var make in Codecs())
        {
            var codec = make();
            for (var i = 0; i < 5_000; i++)
            {
                var bytes = Encoding.UTF8.GetBytes(Samples[random.Next(Samples.Length)]).ToList();
                for (var change = random.Next(1, 6); change > 0 && bytes.Count > 0; change--)
                {
                    var at = random.Next(bytes.Count);
                    switch (random.Next(4))
                    {
                        case 0:
                            bytes[at] = (byte)random.Next(256);
                            break;
                        case 1:
                            bytes.RemoveAt(at);
                            break;
                        case 2:
                            bytes.Insert(at, (byte)"{}[]\",:\\u0"[random.Next(10)]);
                            break;
                        default:
                            var length = random.Next(bytes.Count - at);
                            bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                            break;
                    }
                }
                Check(codec, [.. bytes]);
            }
        }
    }

    [Test]
    public void Message_OfRandomBytes_IsRefused()
    {
        var random = Seeded();
        var codec = CodecHarness.Run();
        for (var i = 0; i < 5_000; i++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            Check(codec, bytes);
        }
    }

    // The same bytes in one piece and in random segments must mean the same, and what a codec takes must be what a plain JSON
    // document of the same bytes says.
    private static void Check(CodecHarness codec, byte[] bytes)
    {
        var whole = Outcome(codec, new ReadOnlySequence<byte>(bytes));
        Assert.That(Outcome(codec, Segments.Single(bytes)), Is.EqualTo(whole), () => Convert.ToHexString(bytes));
        if (whole.StartsWith("refused", StringComparison.Ordinal))
            return;
        using var document = JsonDocument.Parse(bytes);
        var type = document.RootElement.EnumerateObject().Last(p => p.NameEquals("type")).Value.GetString();
        Assert.That(whole, Does.StartWith(type!), () => Convert.ToHexString(bytes));
        if (codec.GivesRefsBack)
        {
            var reference = document.RootElement.EnumerateObject().LastOrDefault(p => p.NameEquals("ref")).Value;
            Assert.That(whole, Does.EndWith($" ref {(reference.ValueKind == JsonValueKind.String ? reference.GetString() : null)}"), () => Convert.ToHexString(bytes));
        }
    }

    private static string Outcome(CodecHarness codec, ReadOnlySequence<byte> body)
    {
        try
        {
            var message = codec.Decode(body);
            return $"{Spell(message)} ref {message.Ref}";
        }
        catch (LinkException e)
        {
            return $"refused {e.Code} {e.Name} ref {e.Ref}";
        }
    }

    private static string Spell(ClientMessage message) => message switch
    {
        Input input => $"stdin {input.Name} {Convert.ToHexString(input.Data.ToArray())} {input.End} {input.Sequence}",
        Control { Action: Resize } resize => $"resize {resize}",
        Control { Action: Signal } signal => $"signal {signal}",
        Control control => $"keyevent {control}",
        Ping => "ping",
        Stop stop => $"stop {stop}",
        Call { Body: UploadText upload } => $"upload {Convert.ToHexString(upload.Json.Span)} {upload.User}",
        Call { Body: UploadPiece piece } => $"uploadFile {piece.Upload} {piece.Path} {Convert.ToHexString(piece.Content.Span)} {piece.Executable} {piece.Fault?.Message}",
        Start start => $"start {start.Name} {Spell(start.Request)} {start.Options}",
        Attach attach => $"attach {attach}",
        Detach detach => $"detach {detach}",
        Acknowledge acknowledge => $"ack {acknowledge}",
        Call call => $"{call.Name[(call.Name.IndexOf('.', StringComparison.Ordinal) + 1)..]} {call}",
        var other => throw new AssertionException($"An unexpected message: {other}"),
    };

    private static string Spell(RunRequest request) =>
        $"{request.Runner} {request.Code} {request.Path} {request.Display} {request.Session} {request.SessionId} {request.User} {request.Terminal} {request.Pipes} "
        + $"{string.Join('|', request.Arguments)} {string.Join('|', request.Environment)}";

    private static string RandomMessage(Random random)
    {
        var types = new[] { "ping", "start", "stop", "stdin", "resize", "keyevent", "upload", "other", "attach", "detach", "list", "ack", "request", "grant", "take", "hello", "signal", "uploadBegin", "uploadFile", "uploadEnd", "uploadCancel" };
        var names = new[]
        {
            "runner", "code", "path", "novncOptions", "input", "end", "rows", "cols", "key", "event", "sourceScript", "sourcePath", "directoryName", "directory", "user", "extensions", "x",
            "session", "from", "mode", "clientId", "delivery", "window", "screen", "offset", "seq", "member", "whenDetached", "grace", "name", "size", "allDrive", "recordInput",
            "args", "env", "terminal", "base64", "signal", "client", "id", "upload", "text", "executable",
        };
        var data = string.Join(", ", Enumerable.Range(0, random.Next(6)).Select(_ => $"\"{Pick(names)}\": {Pick(Values)}"));
        var members = new List<string> { $"\"type\": \"{Pick(types)}\"" };
        if (random.Next(4) > 0)
            members.Add($"\"process\": {(random.Next(3) > 0 ? "\"1\"" : Pick(Values))}");
        if (random.Next(5) > 0)
            members.Add($"\"data\": {(random.Next(5) > 0 ? $"{{{data}}}" : Pick(Values))}");
        if (random.Next(3) == 0)
            members.Add($"\"ref\": {Pick(Values)}");
        if (random.Next(5) == 0)
            members.Add($"\"{Pick(["type", "process", "data", "x"])}\": {Pick(Values)}");
        return $"{{{string.Join(",", members.OrderBy(_ => random.Next()))}}}";

        string Pick(string[] from) => from[random.Next(from.Length)];
    }

    private static Random Seeded()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        return new Random(seed);
    }
}
