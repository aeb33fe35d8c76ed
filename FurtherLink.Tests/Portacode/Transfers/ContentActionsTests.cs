using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Transfers;

[TestFixture]
internal sealed class ContentActionsTests : TransfersFixture
{
    private ContentStore _store = null!;
    private ContentActions _actions = null!;

    [SetUp]
    public void SetUp()
    {
        _store = new ContentStore();
        _actions = Create(new TransferOptions());
    }

    [TearDown]
    public void TearDown() => _actions.Dispose();

    [Test]
    public async Task Download_OneMessage_HasTheContent()
    {
        var content = Content(100_000);
        Rig.Write("a.png", content);
        var answer = await AskAsync("file_download", new JsonObject { ["path"] = "a.png" });

        Assert.Multiple(() =>
        {
            Assert.That(Convert.FromBase64String((string)answer["content_base64"]!), Is.EqualTo(content));
            Assert.That((string?)answer["path"], Is.EqualTo(Rig.Resolve("a.png")));
            Assert.That((string?)answer["file_name"], Is.EqualTo("a.png"));
            Assert.That((string?)answer["mime_type"], Is.EqualTo("image/png"));
            Assert.That((long?)answer["file_size"], Is.EqualTo(100_000));
            Assert.That((bool?)answer["success"], Is.True);
            Assert.That((bool?)answer["chunked"], Is.False);
        });
    }

    [TestCase(1)]
    [TestCase(49151)]
    [TestCase(49152)]
    [TestCase(49153)]
    [TestCase(98304)]
    [TestCase(500_000)]
    public async Task Download_InPieces_HasTheFieldsAndTheContent(int size)
    {
        var content = Content(size);
        Rig.Write("a.bin", content);
        var answers = await FileRig.AskAllAsync(_actions, "file_download", new JsonObject { ["path"] = "a.bin", ["chunked"] = true });
        var pieces = answers.Select(answer => answer.Fields).ToList();
        var text = string.Concat(pieces.Select(piece => (string)piece["content_base64"]!));

        Assert.Multiple(() =>
        {
            Assert.That(Convert.FromBase64String(text), Is.EqualTo(content));
            Assert.That(pieces.Select(piece => (int)piece["chunk_index"]!), Is.EqualTo(Enumerable.Range(0, pieces.Count)));
            Assert.That(pieces.Select(piece => (int)piece["chunk_count"]!), Is.All.EqualTo((text.Length + 65535) / 65536));
            Assert.That(pieces.Select(piece => (int)piece["chunk_size"]!), Is.EqualTo(pieces.Select(piece => ((string)piece["content_base64"]!).Length)));
            Assert.That(pieces.Select(piece => (int)piece["chunk_size"]!), Is.All.LessThanOrEqualTo(65536));
            Assert.That(pieces.Select(piece => (int)piece["total_size"]!), Is.All.EqualTo(text.Length));
            Assert.That(pieces.Select(piece => (string)piece["content_hash"]!), Is.All.EqualTo(Hash(text)));
            Assert.That(pieces.Select(piece => (string)piece["chunk_hash"]!), Is.EqualTo(pieces.Select(piece => Hash((string)piece["content_base64"]!))));
            Assert.That(pieces.Select(piece => (bool)piece["is_final_chunk"]!), Is.EqualTo(Enumerable.Range(1, pieces.Count).Select(i => i == pieces.Count)));
            Assert.That(pieces.Select(piece => (string)piece["transfer_id"]!).Distinct().Count(), Is.EqualTo(1));
            Assert.That(pieces.Select(piece => (bool)piece["chunked"]! && (bool)piece["success"]!), Is.All.True);
        });
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Download_EmptyFileAndOneMadeWhileItIsRead_AreRead(bool inPieces)
    {
        Rig.Write("empty", []);
        var empty = await AskAsync("file_download", new JsonObject { ["path"] = "empty", ["chunked"] = inPieces });
        var made = await AskAsync("file_download", new JsonObject { ["path"] = "/proc/self/stat", ["chunked"] = inPieces });

        Assert.That(((string?)empty["content_base64"], (long?)empty["file_size"], (bool?)empty["chunked"]), Is.EqualTo(("", 0L, false)));
        Assert.That((long?)made["file_size"], Is.Positive);
    }

    [Test]
    public async Task Download_CannotBe_SaysWhy()
    {
        _actions.Dispose();
        _actions = Create(new TransferOptions { MaxWholeBytes = 65536 });
        Rig.Write("big", Content(65537));
        Directory.CreateDirectory(Rig.Resolve("dir"));

        foreach (var (path, words) in new[]
        {
            ("no", $"File not found: {Rig.Resolve("no")}"), ("dir", $"Path is not a file: {Rig.Resolve("dir")}"), ("/dev/zero", "Path is not a file: /dev/zero"),
            ("forbidden", "Permission denied: forbidden"), ("big", $"File is too large for one message: {Rig.Resolve("big")}; ask for it with chunked"),
        })
        {
            var answer = await AskAsync("file_download", new JsonObject { ["path"] = path });
            Assert.That(((bool?)answer["success"], (string?)answer["error"]), Is.EqualTo(((bool?)false, words)));
        }

        Assert.That(await FileRig.RefusalAsync(_actions, "file_download", []), Is.EqualTo("path parameter is required"));
        Assert.That(await FileRig.RefusalAsync(_actions, "file_download", new JsonObject { ["path"] = 3 }), Is.EqualTo("path parameter must be a string"));
    }

    [Test]
    public async Task Content_SentLately_IsSentAgain()
    {
        var content = Content(200_000);
        Rig.Write("a", content);
        var download = await AskAsync("file_download", new JsonObject { ["path"] = "a" });
        var hash = (string)download["content_hash"]!;
        var whole = await AskAsync("content_request", new JsonObject { ["content_hash"] = hash });
        var pieces = await FileRig.AskAllAsync(_actions, "content_request", new JsonObject { ["content_hash"] = hash, ["chunked"] = true });

        Assert.Multiple(() =>
        {
            Assert.That((string?)whole["content"], Is.EqualTo((string?)download["content_base64"]));
            Assert.That((bool?)whole["chunked"], Is.False);
            Assert.That(string.Concat(pieces.Select(piece => (string)piece.Fields["content"]!)), Is.EqualTo((string?)download["content_base64"]));
            Assert.That(pieces, Has.Count.EqualTo(5));
            Assert.That(pieces.Select(piece => (string?)piece.Fields["content_hash"]), Is.All.EqualTo(hash));
        });
    }

    [Test]
    public async Task Content_OfLongCharacters_IsCutBetweenThem()
    {
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(_ => Chance.Next(3) switch { 0 => "a", 1 => "€", _ => "😀" }));
        var pieces = await FileRig.AskAllAsync(_actions, "content_request", new JsonObject { ["content_hash"] = _store.Add(text), ["chunked"] = true });

        Assert.Multiple(() =>
        {
            Assert.That(string.Concat(pieces.Select(piece => (string)piece.Fields["content"]!)), Is.EqualTo(text));
            Assert.That(pieces.Sum(piece => (int)piece.Fields["chunk_size"]!), Is.EqualTo(Encoding.UTF8.GetByteCount(text)));
            Assert.That(pieces.Select(piece => (int)piece.Fields["chunk_size"]!), Is.All.LessThanOrEqualTo(65536));
            Assert.That(pieces.Select(piece => (string?)piece.Fields["chunk_hash"]), Is.EqualTo(pieces.Select(piece => Hash((string)piece.Fields["content"]!))));
        });
    }

    [Test]
    public async Task Content_NotThere_SaysSo()
    {
        var answer = await AskAsync("content_request", new JsonObject { ["content_hash"] = "sha256:" + new string('0', 64) });

        Assert.That(((bool?)answer["success"], (string?)answer["error"], answer["content"]), Is.EqualTo(((bool?)false, "Content not found", (JsonNode?)null)));
        Assert.That(
            await FileRig.RefusalAsync(_actions, "content_request", new JsonObject { ["content_hash"] = "sha256:xyz" }),
            Is.EqualTo("content_hash parameter must be a SHA-256 hash: sha256: and 64 hex digits"));
        Assert.That(await FileRig.RefusalAsync(_actions, "content_request", []), Is.EqualTo("content_hash parameter is required"));
    }

    [Test]
    public void Store_Full_DropsTheOldest()
    {
        var store = new ContentStore(100);
        var first = store.Add(new string('a', 40));
        var second = store.Add(new string('b', 40));
        _ = store.Add(new string('a', 40));
        var third = store.Add(new string('c', 40));
        var large = store.Add(new string('d', 101));

        Assert.That(new[] { first, second, third, large }.Select(hash => store.TryGet(hash, out _)), Is.EqualTo(new[] { true, false, true, false }));
    }

    [Test]
    public async Task Upload_OneMessage_InstallsTheFile()
    {
        var content = Content(10_000);
        var answer = await AskAsync("file_upload", new JsonObject
        {
            ["path"] = "new/a.bin",
            ["content_base64"] = Convert.ToBase64String(content),
            ["file_name"] = "a.bin",
            ["mime_type"] = "x/y",
            ["file_size"] = 10_000,
        });

        Assert.Multiple(() =>
        {
            Assert.That(answer.ToJsonString(), Is.EqualTo(
                $$"""{"path":"{{Rig.Resolve("new/a.bin")}}","file_name":"a.bin","mime_type":"x/y","chunked":false,"bytes_written":10000,"file_size":10000,"complete":true,"success":true}"""));
            Assert.That(Rig.Read("new/a.bin"), Is.EqualTo(content));
        });
    }

    [Test]
    public async Task Upload_OverAFile_NeedsOverwriteAndKeepsTheMode()
    {
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(Rig.Write("a", "old"u8), mode);
        var request = new JsonObject { ["path"] = "a", ["content_base64"] = "bmV3" };
        var refused = await AskAsync("file_upload", request);
        Assert.That(((bool?)refused["success"], (string?)refused["error"]), Is.EqualTo(((bool?)false, $"File already exists: {Rig.Resolve("a")}")));
        Assert.That(Rig.Read("a"), Is.EqualTo("old"u8.ToArray()));

        request["overwrite"] = true;
        Assert.That((bool?)(await AskAsync("file_upload", request))["success"], Is.True);
        Assert.That(Rig.Read("a"), Is.EqualTo("new"u8.ToArray()));
        Assert.That(File.GetUnixFileMode(Rig.Resolve("a")), Is.EqualTo(mode));
    }

    [Test]
    public async Task Upload_IntoAFolder_TakesTheFileName()
    {
        Directory.CreateDirectory(Rig.Resolve("dir"));
        await AskAsync("file_upload", new JsonObject { ["path"] = "dir", ["content_base64"] = "", ["file_name"] = "a" });
        var escape = await AskAsync("file_upload", new JsonObject { ["path"] = "dir", ["content_base64"] = "", ["file_name"] = "../b" });

        Assert.That((string?)escape["error"], Is.EqualTo("file_name parameter must be a name without a path"));
        Assert.That(Rig.Names(), Is.EqualTo(new[] { "dir/", "dir/a" }));
    }

    [TestCase("content_base64", "???", "content_base64 parameter is not valid base64")]
    [TestCase("content_base64", "YWJ", "content_base64 parameter is not valid base64")]
    [TestCase("file_size", "4", "file_size parameter is 4, but the content has 3 bytes")]
    [TestCase("path", "forbidden", "Permission denied: forbidden")]
    [TestCase("path", "/dev/null", "Path is not a file: /dev/null")]
    [TestCase("content_hash", "0000000000000000000000000000000000000000000000000000000000000000", "content_hash parameter is not the hash of the content")]
    public async Task Upload_CannotBe_SaysWhyAndLeavesNothing(string field, string value, string words)
    {
        foreach (var inPieces in new[] { false, true })
        {
            var request = new JsonObject { ["path"] = "a", ["content_base64"] = "YWJj", ["overwrite"] = true, [field] = value };
            if (field == "file_size")
                request[field] = int.Parse(value, CultureInfo.InvariantCulture);
            if (inPieces)
                Pieces(request, ((string)request["content_base64"]!).Length, 1, 0);
            var answer = await AskAsync("file_upload", request);
            Assert.That(((bool?)answer["success"], (string?)answer["error"]), Is.EqualTo(((bool?)false, words)));
        }

        Assert.That(Rig.Names(), Is.Empty);
    }

    [Test]
    public async Task Upload_InPiecesRepeatedAndReordered_IsTheSameFile()
    {
        for (var round = 0; round < 30; round++)
        {
            var content = Content(Chance.Next(1, 20_000));
            var text = Convert.ToBase64String(content);
            // Also sizes at which a piece ends within a group of four characters.
            var size = Chance.Next(1000, 5000);
            var count = (text.Length + size - 1) / size;
            var order = Enumerable.Range(0, count).Concat(Enumerable.Range(0, count).Where(_ => Chance.Next(3) == 0)).ToArray();
            Chance.Shuffle(order);
            var seen = new HashSet<int>();
            foreach (var index in order)
            {
                var request = Piece($"f{round}", $"t{round}", text, size, index);
                request["file_size"] = content.Length;
                var answer = await AskAsync("file_upload", request);
                seen.Add(index);
                Assert.That(
                    ((bool?)answer["success"], (string?)answer["error"], (bool?)answer["chunk_received"], (bool?)answer["complete"]),
                    Is.EqualTo(((bool?)true, (string?)null, (bool?)true, (bool?)(seen.Count == count))));
            }

            Assert.That(Rig.Read($"f{round}"), Is.EqualTo(content));
        }
    }

    [Test]
    public async Task Upload_DownloadedPieces_ComeBackEqual()
    {
        var content = Content(Chance.Next(1, 1_000_000));
        Rig.Write("a", content);
        foreach (var piece in await FileRig.AskAllAsync(_actions, "file_download", new JsonObject { ["path"] = "a", ["chunked"] = true }))
        {
            var request = piece.Fields.DeepClone().AsObject();
            request["path"] = "b";
            Assert.That((bool?)(await AskAsync("file_upload", request))["success"], Is.True);
        }

        Assert.That(Rig.Read("b"), Is.EqualTo(content));
    }

    [Test]
    public async Task Upload_WrongPiece_IsRefusedAndMayComeAgain()
    {
        var text = Convert.ToBase64String(Content(9000));
        var wrong = Piece("a", "t", text, 5000, 0);
        wrong["content_base64"] = new string('A', 5000);
        Assert.That((string?)(await AskAsync("file_upload", wrong))["error"], Is.EqualTo("chunk_hash parameter is not the hash of chunk 0"));

        Assert.That((bool?)(await AskAsync("file_upload", Piece("a", "t", text, 5000, 0)))["success"], Is.True);
        var shorter = Piece("a", "t", text, 5000, 1);
        (shorter["content_base64"], shorter["chunk_hash"]) = ("AAAA", null);
        Assert.That((string?)(await AskAsync("file_upload", shorter))["error"], Does.StartWith("The chunk's size does not agree"));
        var other = Piece("b", "t", text, 5000, 1);
        Assert.That((string?)(await AskAsync("file_upload", other))["error"], Is.EqualTo("Transfer t has another path, chunk_count or total_size"));

        Assert.That((bool?)(await AskAsync("file_upload", Piece("a", "t", text, 5000, 1)))["complete"], Is.False);
        Assert.That((bool?)(await AskAsync("file_upload", Piece("a", "t", text, 5000, 2)))["complete"], Is.True);
        Assert.That(Rig.Read("a"), Has.Length.EqualTo(9000));
    }

    [TestCase("chunk_count", 0)]
    [TestCase("chunk_count", -1)]
    [TestCase("chunk_count", 2_000_000)]
    [TestCase("chunk_index", 1)]
    [TestCase("chunk_index", -1)]
    [TestCase("total_size", -1)]
    [TestCase("total_size", 3)]
    [TestCase("total_size", 8)]
    public async Task Upload_ImpossibleNumbers_AreRefused(string field, int value)
    {
        var request = Piece("a", "t", "YWJj", 4, 0);
        request[field] = value;
        try
        {
            Assert.That((bool?)(await AskAsync("file_upload", request))["success"], Is.False);
        }
        catch (FurtherLink.Messages.LinkException e)
        {
            Assert.That(e.Message, Does.StartWith($"{field} parameter must be "));
        }
    }

    [Test]
    public async Task Upload_TooMuch_IsRefused()
    {
        _actions.Dispose();
        _actions = Create(new TransferOptions { MaxUploads = 2, MaxUploadBytes = 1 << 20 });
        var large = Piece("a", "t", "YWJj", 4, 0);
        large["total_size"] = 2 << 20;
        Assert.That((string?)(await AskAsync("file_upload", large))["error"], Is.EqualTo("File is too large: an upload may have 1048576 bytes"));
        large = new JsonObject { ["path"] = "a", ["content_base64"] = new string('A', 1_500_000) };
        Assert.That((string?)(await AskAsync("file_upload", large))["error"], Is.EqualTo("File is too large: an upload may have 1048576 bytes"));

        await AskAsync("file_upload", Piece("a", "1", new string('A', 1_000_000), 500_000, 0));
        Assert.That((string?)(await AskAsync("file_upload", Piece("b", "2", new string('A', 1_000_000), 500_000, 0)))["error"], Does.StartWith("The uploads under way have more than"));
        await AskAsync("file_upload", Piece("b", "2", new string('A', 8), 4, 0));
        Assert.That((string?)(await AskAsync("file_upload", Piece("c", "3", new string('A', 8), 4, 0)))["error"], Does.StartWith("2 uploads are under way"));
        // A client's own name for a transfer is no other client's.
        Assert.That((string?)(await AskAsync("file_upload", Piece("b", "2", new string('A', 8), 4, 1), "other"))["error"], Does.StartWith("2 uploads are under way"));
    }

    [Test]
    public async Task Upload_DiskFull_IsRefused()
    {
        Free = 16 << 20;
        Assert.That((string?)(await AskAsync("file_upload", Piece("a", "t", new string('A', 8), 4, 0)))["error"], Does.StartWith($"Not enough free space in {Rig.Root}: 14 bytes"));
    }

    [Test]
    public async Task Upload_NothingComes_IsGivenUp()
    {
        var text = Convert.ToBase64String(Content(9000));
        await AskAsync("file_upload", Piece("a", "t", text, 5000, 0));
        await AskAsync("file_upload", Piece("a", "t", text, 5000, 1));
        Time.Advance(TimeSpan.FromMinutes(8));
        var answer = await AskAsync("file_upload", Piece("a", "t", text, 5000, 2));

        Assert.That((bool?)answer["complete"], Is.False);
        Assert.That(Rig.Names(), Is.Empty);
    }

    [Test]
    public async Task Upload_CutAtEveryCharacter_NeverInstallsAnything()
    {
        var text = Convert.ToBase64String(Content(30));
        for (var cut = 0; cut < text.Length; cut++)
        {
            var request = Piece("a", $"t{cut}", text, text.Length, 0);
            (request["content_base64"], request["total_size"], request["chunk_hash"]) = (text[..cut], cut, null);
            Assert.That((bool?)(await AskAsync("file_upload", request))["success"], Is.False, $"cut at {cut}");
        }

        Assert.That(Rig.Names(), Is.Empty);
    }

    private ContentActions Create(TransferOptions options) => new(new DevicePaths(null), _store, options, Time, _ => Free, Rig.Resolve);

    private Task<JsonObject> AskAsync(string action, JsonObject arguments, string? client = null) => FileRig.AskAsync(_actions, action, arguments, client);

    private static JsonObject Piece(string path, string id, string text, int size, int index)
    {
        var piece = text[(index * size)..Math.Min((index + 1) * size, text.Length)];
        var request = new JsonObject { ["path"] = path, ["content_base64"] = piece, ["transfer_id"] = id };
        Pieces(request, text.Length, (text.Length + size - 1) / size, index);
        request["content_hash"] = Hash(text);
        request["chunk_hash"] = Hash(piece);
        return request;
    }

    private static void Pieces(JsonObject request, int total, int count, int index)
    {
        request["chunked"] = true;
        request["transfer_id"] ??= "t";
        request["chunk_index"] = index;
        request["chunk_count"] = count;
        request["total_size"] = total;
    }

    private static string Hash(string text) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
