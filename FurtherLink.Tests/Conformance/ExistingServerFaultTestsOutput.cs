using System.Security.Cryptography;
using System.Text;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>Output that is lost, cut, held up, or ended by bytes that are no text.</summary>
[TestFixture]
internal sealed class ExistingServerFaultTestsOutput : ExistingServerFaultTests
{
    // Several at a time: it is quicker, and it is when races show.
    private const int Runs = 60;
    private const int AtATime = 6;

    [TestCase(false, "for i in range(20): print('line', i)")]
    [TestCase(true, "for i in range(20): print('line', i)")]
    [TestCase(false, "print('e' * 1023)")]
    [TestCase(true, "print('first'); print('last')")]
    public async Task Print_RightBeforeExit_LosesNothingInSixtyRuns(bool terminal, string code)
    {
        var expected = (code[0] == 'f' ? string.Concat(Enumerable.Range(0, 20).Select(i => $"line {i}\n")) : code.Contains("first", StringComparison.Ordinal) ? "first\nlast\n" : new string('e', 1023) + "\n")
            .ReplaceLineEndings(terminal ? "\r\n" : "\n");
        await using var client = await ConnectAsync(terminal);

        await Parallel.ForAsync(0, Runs, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (run, _) =>
        {
            var program = await client.PythonAsync(code);
            Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
            Assert.That(program.Output, Is.EqualTo(expected), $"run {run}");
        });
    }

    [Test]
    public async Task Print_Of8MiBAtOnce_ArrivesWhole([Values] bool terminal)
    {
        await using var client = await ConnectAsync(terminal);
        var program = await client.PythonAsync("print('0123456789abcde\\n' * (8 << 16), end='')");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);

        var line = terminal ? "0123456789abcde\r\n" : "0123456789abcde\n";
        Assert.That(program.Output.Length, Is.EqualTo(line.Length * (8 << 16)));
        Assert.That(program.Output == string.Concat(Enumerable.Repeat(line, 8 << 16)), "every line as it was printed");
    }

    [Test]
    public async Task Print_OfCharactersOfManyBytes_ArrivesWhole([Values] bool terminal)
    {
        await using var client = await ConnectAsync(terminal);
        var program = await client.PythonAsync("print('x' + '€😀' * 20000, end='')");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        Assert.That(program.Output == "x" + string.Concat(Enumerable.Repeat("€😀", 20_000)), "every character as it was printed");
    }

    [Test]
    public async Task RawTerminal_ManyMegabytes_HashTheSame()
    {
        var size = SoakSize.Of(shortForm: 8, longForm: 64) * 1024 * 1024;
        var seed = TestContext.CurrentContext.Random.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        await using var client = await Host.ConnectWebSocketAsync("/run?pty=1");
        // Every ASCII character, controls included, and longer ones that reads of any size cut anywhere.
        await client.StartAsync("1", "python3", $$"""
            import hashlib, os, random, tty
            tty.setraw(0)
            data = random.Random({{seed}}).randbytes({{size}}).translate(bytes(i & 127 for i in range(256))).replace(b"\1", "é€😀".encode())
            view = memoryview(data)
            while view:
                view = view[os.write(1, view):]
            open("hash", "w").write(hashlib.sha256(data).hexdigest())
            """);

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (await client.NextAsync() is { } message && (string?)message["type"] != "stopped")
        {
            if ((string?)message["type"] == "stdout")
                hash.AppendData(Encoding.UTF8.GetBytes((string)message["data"]!["output"]!));
        }

        Assert.That(Convert.ToHexStringLower(hash.GetCurrentHash()), Is.EqualTo(await File.ReadAllTextAsync(Path.Combine(Temp, "hash"))));
    }

    [Test]
    public async Task Character_CutAtAnyPlaceForAnyTime_ArrivesAsOne([Values] bool terminal)
    {
        string[] characters = ["é", "€", "😀"];
        await using var client = await ConnectAsync(terminal);
        var program = await client.PythonAsync("""
            import os, sys, tty
            if os.isatty(0): tty.setraw(0)
            for character in "é€😀":
                whole = character.encode()
                for cut in range(1, len(whole)):
                    os.write(1, b"<" + whole[:cut])
                    sys.stdin.readline()
                    os.write(1, whole[cut:] + b">")
                    sys.stdin.readline()
            """);
        var expected = new StringBuilder();
        foreach (var character in characters)
        {
            for (var cut = 1; cut < Encoding.UTF8.GetByteCount(character); cut++)
            {
                // The second part is written only when what stands before the first has arrived.
                await program.SeeAsync("<");
                await program.TypeAsync("\n");
                await program.SeeAsync(character + ">");
                await program.TypeAsync("\n");
                expected.Append($"<{character}>");
            }
        }

        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        Assert.That(program.Output, Is.EqualTo(expected.ToString()));
    }

    [Test]
    public async Task BytesThatAreNoText_AreReplacedAndTheOutputGoesOn([Values] bool terminal)
    {
        // Never a first byte, a second byte missing, a surrogate, a character cut by the next line; at last one cut by the end.
        byte[] bytes = [.. "a\n"u8, 0xFF, 0xFE, .. "b"u8, 0xC3, .. "(c"u8, 0xED, 0xA0, 0x80, .. "d"u8, 0xF0, 0x9F, 0x98, .. "e\n"u8];
        await using var client = await ConnectAsync(terminal);
        var program = await client.PythonAsync($"""
            import os, sys, tty
            if os.isatty(0): tty.setraw(0)
            os.write(1, bytes.fromhex("{Convert.ToHexString(bytes)}"))
            sys.stdin.readline()
            os.write(1, b"later \xe2\x82")
            """);
        await program.SeeAsync("e\n");
        await program.TypeAsync("\n");

        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
        Assert.That(program.Output, Is.EqualTo(Encoding.UTF8.GetString(bytes) + "later \uFFFD"));
    }

    [Test]
    public async Task Prompt_WithoutALine_ArrivesWhileTheProgramWaits([Values] bool terminal)
    {
        await using var client = await ConnectAsync(terminal);
        var program = await client.PythonAsync("print('Hello', input('Who? '))");
        await program.SeeAsync("Who? ");
        await program.TypeAsync("Ann\n");
        await program.SeeAsync("Hello Ann");
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
    }

    [Test]
    public async Task Echo_OfEachOfFiftyKeys_ArrivesBeforeTheNextIsTyped([Values] bool terminal)
    {
        await using var client = await ConnectAsync(terminal);
        // Nothing but a buffer's time could hold a single character back: the next comes only after it.
        var program = await client.StartAsync("exec", path: "/bin/cat");
        for (var i = 0; i < 50; i++)
        {
            var key = ((char)('A' + i)).ToString();
            await program.TypeAsync(key);
            await program.SeeAsync(key);
        }

        Assert.That(program.Output, Has.Length.EqualTo(50));
        await program.StopAsync();
        Assert.That(await program.ExitAsync(), Is.EqualTo(-15));
    }
}
