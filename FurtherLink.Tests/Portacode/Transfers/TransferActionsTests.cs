using System.Security.Cryptography;
using System.Text.Json.Nodes;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Transfers;

[TestFixture]
internal sealed class TransferActionsTests : TransfersFixture
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private TransferActions _actions = null!;

    [SetUp]
    public void SetUp()
    {
        _actions = Create(new TransferOptions());
    }

    [TearDown]
    public void TearDown() => _actions.Dispose();

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(4096)]
    [TestCase(4097)]
    [TestCase(-1)]
    public async Task File_ThereAndBack_IsEqual(int size)
    {
        var content = Content(size < 0 ? Chance.Next(200_000) : size);
        File.SetUnixFileMode(Rig.Write("from/a", content), UnixFileMode.UserRead | UnixFileMode.GroupExecute);
        var answer = await CopyAsync("file", "from/a", "a");

        Assert.Multiple(() =>
        {
            Assert.That(Rig.Read("a"), Is.EqualTo(content));
            Assert.That(File.GetUnixFileMode(Rig.Resolve("a")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.GroupExecute));
            Assert.That(File.GetLastWriteTimeUtc(Rig.Resolve("a")), Is.EqualTo(File.GetLastWriteTimeUtc(Rig.Resolve("from/a"))));
            Assert.That((string?)answer["state"], Is.EqualTo("completed"));
            Assert.That((bool?)answer["success"], Is.True);
            Assert.That((double?)answer["progress_percent"], Is.EqualTo(100));
        });
    }

    [Test]
    public async Task Folder_ThereAndBack_IsEqualWithoutItsLinks()
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var name in new[] { "x", "ä/😀 blank", "deep/" + string.Join('/', Enumerable.Repeat("folder", 30)) + "/file", new string('n', 200), "empty" })
            files[name] = Content(name == "empty" ? 0 : Chance.Next(30_000));
        foreach (var (name, content) in files)
            Rig.Write("from/top/" + name, content);
        Directory.CreateDirectory(Rig.Resolve("from/top/hollow"));
        File.CreateSymbolicLink(Rig.Resolve("from/top/link"), "/etc/passwd");
        File.CreateSymbolicLink(Rig.Resolve("from/top/loop"), ".");
        File.SetUnixFileMode(Rig.Resolve("from/top/x"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var source = await PrepareSourceAsync("folder", "from/top");
        var answer = await CopyAsync("folder", "from/top", "to");

        var names = new HashSet<string>(Rig.Names().Where(name => name.StartsWith("to/", StringComparison.Ordinal)).Select(name => name["to/".Length..]), StringComparer.Ordinal);
        Assert.Multiple(() =>
        {
            Assert.That((int?)source["skipped_entries"], Is.EqualTo(2));
            Assert.That((string?)source["archive_format"], Is.EqualTo("tar"));
            Assert.That((long?)source["expanded_size"], Is.EqualTo(files.Values.Sum(content => (long)content.Length)));
            Assert.That((string?)answer["state"], Is.EqualTo("completed"));
            foreach (var (name, content) in files)
                Assert.That(Rig.Read("to/" + name), Is.EqualTo(content), name);
            Assert.That(names, Does.Contain("hollow/").And.Not.Contains("link").And.Not.Contains("loop"));
            Assert.That(File.GetUnixFileMode(Rig.Resolve("to/x")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserExecute));
        });
    }

    [Test]
    public async Task Destination_InterruptedRepeatedAndReordered_KnowsWhatIsMissing()
    {
        var content = Content(Chance.Next(50_000, 200_000));
        var prepare = Destination("a", content);
        var prepared = await AskAsync("transfer_prepare", prepare);
        var count = (int)prepared["chunk_count"]!;
        var order = Enumerable.Range(0, count).ToArray();
        Chance.Shuffle(order);
        var half = order[..(count / 2)];
        foreach (var index in half)
            await AskAsync("transfer_receive_chunk", Chunk(content, index));
        // The gateway came back, and the client begins anew.
        Assert.That((int?)(await AskAsync("transfer_prepare", prepare))["missing_count"], Is.EqualTo(count - half.Length));
        Assert.That((bool?)(await AskAsync("transfer_receive_chunk", Chunk(content, half[0])))["duplicate"], Is.True);
        Assert.That(await RefusalAsync("transfer_finalize", Identity()), Does.StartWith($"Transfer is not complete: {count - half.Length} chunks are missing"));

        var status = await AskAsync("transfer_status", Identity());
        var missing = status["missing_chunks"]!.AsArray().Select(index => (int)index!).ToArray();
        Assert.That(missing, Is.EqualTo(order[(count / 2)..].Order()));
        Assert.That((string?)status["state"], Is.EqualTo("receiving"));
        foreach (var index in missing)
            await AskAsync("transfer_receive_chunk", Chunk(content, index));

        var first = await AskAsync("transfer_finalize", Identity());
        var again = await AskAsync("transfer_finalize", Identity());
        var late = await AskAsync("transfer_receive_chunk", Chunk(content, 0));
        Assert.Multiple(() =>
        {
            Assert.That(Rig.Read("a"), Is.EqualTo(content));
            Assert.That(again.ToJsonString(), Is.EqualTo(first.ToJsonString()));
            Assert.That((bool?)late["duplicate"], Is.True);
            Assert.That(Rig.Names(), Is.EqualTo(new[] { "a" }));
        });
    }

    [Test]
    public async Task Destination_WrongChunk_IsRefusedInWords()
    {
        var content = Content(10_000);
        await AskAsync("transfer_prepare", Destination("a", content));
        var wrongHash = Chunk(content, 0);
        wrongHash["content_base64"] = Convert.ToBase64String(new byte[4096]);
        var short0 = Chunk(content, 0);
        (short0["content_base64"], short0["chunk_hash"]) = ("", Hex([]));
        var notBase64 = Chunk(content, 0);
        notBase64["content_base64"] = "*";
        var beyond = Chunk(content, 2);
        beyond["chunk_index"] = 3;

        Assert.That(await RefusalAsync("transfer_receive_chunk", wrongHash), Is.EqualTo("chunk_hash parameter is not the hash of chunk 0"));
        Assert.That(await RefusalAsync("transfer_receive_chunk", short0), Is.EqualTo("Chunk 0 must have 4096 bytes, not 0"));
        Assert.That(await RefusalAsync("transfer_receive_chunk", notBase64), Is.EqualTo("content_base64 parameter is not valid base64"));
        Assert.That(await RefusalAsync("transfer_receive_chunk", beyond), Is.EqualTo("chunk_index parameter must be 0 to 2"));
        Assert.That(await RefusalAsync("transfer_read_chunk", Chunk(content, 0)), Does.StartWith("The transfer is a destination"));
        Assert.That((int?)(await AskAsync("transfer_status", Identity()))["missing_count"], Is.EqualTo(3));
    }

    [Test]
    public async Task Destination_WrongPayloadHash_BeginsAgain()
    {
        var content = Content(10_000);
        var prepare = Destination("a", content);
        prepare["payload_hash"] = new string('0', 64);
        await AskAsync("transfer_prepare", prepare);
        for (var index = 0; index < 3; index++)
            await AskAsync("transfer_receive_chunk", Chunk(content, index));

        Assert.That(await RefusalAsync("transfer_finalize", Identity()), Does.StartWith("payload_hash parameter is not the hash of what came"));
        Assert.That((int?)(await AskAsync("transfer_status", Identity()))["missing_count"], Is.EqualTo(3));
        Assert.That(File.Exists(Rig.Resolve("a")), Is.False);
    }

    [Test]
    public async Task Destination_ThatExists_NeedsOverwrite()
    {
        File.SetUnixFileMode(Rig.Write("a", "old"u8), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherExecute);
        var content = Content(100);
        var prepare = Destination("a", content);
        Assert.That(await RefusalAsync("transfer_prepare", prepare), Is.EqualTo($"File already exists: {Rig.Resolve("a")}"));

        prepare["overwrite"] = true;
        await AskAsync("transfer_prepare", prepare);
        await AskAsync("transfer_receive_chunk", Chunk(content, 0));
        await AskAsync("transfer_finalize", Identity());
        Assert.That(Rig.Read("a"), Is.EqualTo(content));
        Assert.That(File.GetUnixFileMode(Rig.Resolve("a")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherExecute));
    }

    [Test]
    public async Task Folder_ThatExists_IsReplacedWhole()
    {
        Rig.Write("from/top/new", "new"u8);
        Rig.Write("to/old", "old"u8);
        await CopyAsync("folder", "from/top", "to", overwrite: true);

        Assert.That(Rig.Names().Where(name => name.StartsWith("to", StringComparison.Ordinal)), Is.EqualTo(new[] { "to/", "to/new" }));
    }

    [Test]
    public async Task Folder_ThatIsAnotherThanAnnounced_LeavesTheOldOne()
    {
        Rig.Write("from/top/new", "new"u8);
        Rig.Write("to/old", "old"u8);
        var source = await PrepareSourceAsync("folder", "from/top");
        foreach (var (field, value) in new[] { ("expanded_size", 2), ("expanded_size", 4), ("entry_count", 1) })
        {
            var prepare = DestinationOf(source, "to", overwrite: true);
            prepare["transfer_id"] = Guid.NewGuid().ToString();
            prepare[field] = value;
            await AskAsync("transfer_prepare", prepare);
            await MoveChunksAsync(source, prepare);
            Assert.That(await RefusalAsync("transfer_finalize", Identity((string)prepare["transfer_id"]!)), Does.Contain("archive"));
            await AskAsync("transfer_cancel", Identity((string)prepare["transfer_id"]!));
        }

        Assert.That(Rig.Names().Where(name => name.StartsWith("to", StringComparison.Ordinal)), Is.EqualTo(new[] { "to/", "to/old" }));
    }

    [Test]
    public async Task Source_ThatChanges_IsRefused()
    {
        Rig.Write("a", Content(10_000));
        await PrepareSourceAsync("file", "a", Id);
        File.AppendAllText(Rig.Resolve("a"), "more");

        Assert.That(await RefusalAsync("transfer_read_chunk", Numbered(0)), Is.EqualTo($"File has changed since the transfer was prepared: {Rig.Resolve("a")}"));
        Assert.That(await RefusalAsync("transfer_receive_chunk", Chunk(Content(10_000), 0)), Does.StartWith("The transfer is a source"));
    }

    [Test]
    public async Task Token_OfAnother_IsRefused()
    {
        await AskAsync("transfer_prepare", Destination("a", Content(10)));
        var identity = Identity();
        identity["authorization_token"] = Token + "!";

        foreach (var action in new[] { "transfer_status", "transfer_finalize", "transfer_cancel" })
            Assert.That(await RefusalAsync(action, identity), Is.EqualTo($"authorization_token parameter is not that of transfer {Id}"));
        var prepare = Destination("a", Content(10));
        prepare["authorization_token"] = Token + "!";
        Assert.That(await RefusalAsync("transfer_prepare", prepare), Does.StartWith("authorization_token parameter is not that"));
    }

    [Test]
    public async Task Prepare_OneIdForTwoThings_IsRefused()
    {
        var content = Content(10);
        await AskAsync("transfer_prepare", Destination("a", content));

        Assert.That(await RefusalAsync("transfer_prepare", Destination("b", content)), Is.EqualTo($"Transfer is one of something else: {Id}"));
        Assert.That(await RefusalAsync("transfer_prepare", Destination("a", Content(11))), Is.EqualTo($"Transfer is one of something else: {Id}"));
    }

    [TestCase("transfer_id", "x", "transfer_id parameter must be a UUID")]
    [TestCase("transfer_id", null, "transfer_id parameter is required")]
    [TestCase("authorization_token", "short", "authorization_token parameter must have 32 to 4096 characters")]
    [TestCase("role", "both", "role parameter must be source or destination")]
    [TestCase("kind", "link", "kind parameter must be folder or file")]
    [TestCase("path", "", "path parameter is required")]
    [TestCase("path", "forbidden", "Permission denied: forbidden")]
    [TestCase("path", "/", "Path cannot be replaced: /")]
    [TestCase("path", "/dev/null", "Path is not a file: /dev/null")]
    [TestCase("path", "no/a", "Directory not found: ")]
    [TestCase("path", ".", "Path is not a file: ")]
    [TestCase("payload_size", -1L, "payload_size parameter must be 0 to ")]
    [TestCase("payload_size", null, "payload_size parameter is required")]
    [TestCase("payload_size", 10737418241L, "File is too large: a transfer may have 10737418240 bytes")]
    [TestCase("payload_hash", "x", "payload_hash parameter must be a SHA-256 hash")]
    [TestCase("payload_hash", null, "payload_hash parameter is required")]
    [TestCase("chunk_size", 100L, "chunk_size parameter must be 4096 to 1048576")]
    [TestCase("chunk_count", 7L, "chunk_count parameter is 7, but 10 bytes in chunks of 4096 make 1")]
    [TestCase("ttl_seconds", 0L, "ttl_seconds parameter must be 1 to ")]
    [TestCase("entry_count", 100001L, "entry_count parameter must be at most 100000")]
    [TestCase("expanded_size", 10737418241L, "expanded_size parameter must be at most 10737418240")]
    [TestCase("archive_format", "zip", "archive_format parameter must be tar for a folder")]
    [TestCase("metadata", 3L, "metadata parameter must be an object")]
    public async Task Prepare_BadArgument_IsRefused(string field, object? value, string words)
    {
        var prepare = Destination("a", Content(10));
        prepare[field] = value is string text ? JsonValue.Create(text) : value is long number ? JsonValue.Create(number) : null;

        Assert.That(await RefusalAsync("transfer_prepare", prepare), Does.StartWith(words));
        Assert.That(Rig.Names(), Is.Empty);
    }

    [Test]
    public async Task Prepare_SourceThatIsNone_IsRefused()
    {
        Rig.Write("a", Content(10));
        foreach (var (kind, path, words) in new[]
        {
            ("file", "no", "File not found: "), ("folder", "no", "Directory not found: "), ("folder", "a", "Path is not a directory: "), ("file", ".", "Path is not a file: "),
            ("file", "/dev/zero", "Path is not a file: "),
        })
        {
            Assert.That(await RefusalAsync("transfer_prepare", Source(kind, path, Guid.NewGuid())), Does.StartWith(words));
        }
    }

    [Test]
    public async Task Prepare_TooMuch_IsRefused()
    {
        _actions.Dispose();
        _actions = Create(new TransferOptions { MaxBytes = 1 << 20, MaxEntries = 3, MaxTransfers = 1 });
        Rig.Write("large", new byte[(1 << 20) + 1]);
        foreach (var name in new[] { "1", "2", "3" })
            Rig.Write("many/" + name, []);

        Assert.That(await RefusalAsync("transfer_prepare", Source("file", "large", Guid.NewGuid())), Does.StartWith("File is too large"));
        Assert.That(await RefusalAsync("transfer_prepare", Source("folder", "many", Guid.NewGuid())), Does.StartWith("The folder has more than 3 entries"));
        Assert.That(await RefusalAsync("transfer_prepare", Source("folder", ".", Guid.NewGuid())), Does.StartWith("The folder has more than"));
        await AskAsync("transfer_prepare", Destination("a", Content(10)));
        var another = Destination("b", Content(10));
        another["transfer_id"] = Guid.NewGuid().ToString();
        Assert.That(await RefusalAsync("transfer_prepare", another), Does.StartWith("1 transfers are under way"));
        await AskAsync("transfer_cancel", Identity());
        Assert.That((string?)(await AskAsync("transfer_prepare", another))["state"], Is.EqualTo("receiving"));
    }

    [Test]
    public async Task Prepare_DiskFull_IsRefused()
    {
        Rig.Write("from/a", Content(10));
        Free = (16 << 20) + 1000;
        Assert.That(await RefusalAsync("transfer_prepare", Destination("a", Content(1001))), Does.StartWith($"Not enough free space in {Rig.Root}: 1001 bytes are needed"));
        Assert.That(await RefusalAsync("transfer_prepare", Source("folder", "from", Guid.NewGuid())), Does.StartWith("Not enough free space"));
        var folder = Destination("a", Content(600));
        folder["kind"] = "folder";
        Assert.That(await RefusalAsync("transfer_prepare", folder), Does.StartWith($"Not enough free space in {Rig.Root}: 1200 bytes are needed"));

        Assert.That((string?)(await AskAsync("transfer_prepare", Destination("a", Content(1000))))["state"], Is.EqualTo("receiving"));
    }

    [Test]
    public async Task Transfer_NobodyAsksFor_IsRemoved()
    {
        var prepare = Destination("a", Content(10_000));
        prepare["ttl_seconds"] = 600;
        var prepared = await AskAsync("transfer_prepare", prepare);
        Assert.That(DateTimeOffset.FromUnixTimeSeconds((long)prepared["expires_at"]!), Is.EqualTo(Time.GetUtcNow() + TimeSpan.FromMinutes(10)));
        Time.Advance(TimeSpan.FromMinutes(9));
        await AskAsync("transfer_status", Identity());
        Time.Advance(TimeSpan.FromMinutes(9));
        Assert.That(Rig.Names(), Is.Not.Empty);
        Time.Advance(TimeSpan.FromMinutes(2));

        Assert.That(Rig.Names(), Is.Empty);
        Assert.That(await RefusalAsync("transfer_status", Identity()), Is.EqualTo($"Transfer not found: {Id}; it may have expired"));
    }

    [Test]
    public async Task Cancel_RemovesAllAndMayBeRepeatedAndPreparedAgain()
    {
        var content = Content(10_000);
        await AskAsync("transfer_prepare", Destination("a", content));
        await AskAsync("transfer_receive_chunk", Chunk(content, 0));
        Assert.That((string?)(await AskAsync("transfer_cancel", Identity()))["state"], Is.EqualTo("canceled"));
        Assert.That((bool?)(await AskAsync("transfer_cancel", Identity()))["success"], Is.True);
        Assert.That(Rig.Names(), Is.Empty);
        Assert.That(await RefusalAsync("transfer_receive_chunk", Chunk(content, 1)), Is.EqualTo($"Transfer is canceled already: {Id}"));
        Assert.That(await RefusalAsync("transfer_finalize", Identity()), Is.EqualTo($"Transfer is canceled already: {Id}"));

        Assert.That((int?)(await AskAsync("transfer_prepare", Destination("a", content)))["missing_count"], Is.EqualTo(3));
    }

    [Test]
    public async Task Cancel_OfWhatIsComplete_IsRefused()
    {
        await AskAsync("transfer_prepare", Destination("a", []));
        await AskAsync("transfer_receive_chunk", Chunk([], 0));
        await AskAsync("transfer_finalize", Identity());

        Assert.That(await RefusalAsync("transfer_cancel", Identity()), Is.EqualTo($"Transfer is complete already: {Id}"));
        Assert.That(Rig.Read("a"), Is.Empty);
    }

    private const string Id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

    private TransferActions Create(TransferOptions options) => new(new DevicePaths(null), options, Time, _ => Free, Rig.Resolve);

    private Task<JsonObject> AskAsync(string action, JsonObject arguments) => FileRig.AskAsync(_actions, action, arguments);

    private Task<string> RefusalAsync(string action, JsonObject arguments) => FileRig.RefusalAsync(_actions, action, arguments);

    private async Task<JsonObject> CopyAsync(string kind, string from, string to, bool overwrite = false)
    {
        var source = await PrepareSourceAsync(kind, from);
        var prepare = DestinationOf(source, to, overwrite);
        await AskAsync("transfer_prepare", prepare);
        await MoveChunksAsync(source, prepare);
        var answer = await AskAsync("transfer_finalize", Identity((string)prepare["transfer_id"]!));
        await AskAsync("transfer_finalize", Identity((string)source["transfer_id"]!));
        return answer;
    }

    private async Task MoveChunksAsync(JsonObject source, JsonObject destination)
    {
        for (var index = 0; index < (int)source["chunk_count"]!; index++)
        {
            var request = Identity((string)source["transfer_id"]!);
            request["chunk_index"] = index;
            var chunk = (await AskAsync("transfer_read_chunk", request)).DeepClone().AsObject();
            chunk["transfer_id"] = (string)destination["transfer_id"]!;
            chunk["authorization_token"] = Token;
            await AskAsync("transfer_receive_chunk", chunk);
        }
    }

    private Task<JsonObject> PrepareSourceAsync(string kind, string path, string? id = null) =>
        AskAsync("transfer_prepare", Source(kind, path, id is null ? Guid.NewGuid() : Guid.Parse(id)));

    private static JsonObject Source(string kind, string path, Guid id)
    {
        var request = Identity(id.ToString());
        (request["role"], request["kind"], request["path"], request["chunk_size"]) = ("source", kind, path, 4096);
        return request;
    }

    private static JsonObject DestinationOf(JsonObject source, string path, bool overwrite)
    {
        var request = source.DeepClone().AsObject();
        (request["role"], request["path"], request["overwrite"]) = ("destination", path, overwrite);
        (request["transfer_id"], request["authorization_token"]) = (Guid.NewGuid().ToString(), Token);
        return request;
    }

    private static JsonObject Destination(string path, byte[] content)
    {
        var request = Identity();
        (request["role"], request["kind"], request["path"], request["chunk_size"]) = ("destination", "file", path, 4096);
        (request["payload_size"], request["payload_hash"]) = (content.Length, "sha256:" + Hex(content));
        return request;
    }

    private static JsonObject Identity(string id = Id) => new() { ["transfer_id"] = id, ["authorization_token"] = Token };

    private static JsonObject Numbered(int index)
    {
        var request = Identity();
        request["chunk_index"] = index;
        return request;
    }

    private static JsonObject Chunk(byte[] content, int index)
    {
        var chunk = content[(index * 4096)..Math.Min((index + 1) * 4096, content.Length)];
        var request = Numbered(index);
        request["content_base64"] = Convert.ToBase64String(chunk);
        request["chunk_hash"] = Hex(chunk);
        return request;
    }

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
