using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Diffs;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode;

/// <summary>Actions on files, kept in a root, by paths that lead out of it, or at things that nobody may wait for.</summary>
[SupportedOSPlatform("linux")]
internal sealed class HostilePathTests
{
    private FileRig _rig = null!;
    private DevicePaths _devicePaths = null!;
    private HostilePaths _paths = null!;
    private IActions[] _actions = [];
    private TransferActions _transfers = null!;
    private ContentActions _contents = null!;

    private string _transferId = "";

    private string Root => Path.Combine(_rig.Root, "root");

    [SetUp]
    public void SetUp()
    {
        _rig = new FileRig();
        _rig.Write("root/f", "inside"u8);
        _paths = new HostilePaths(Root);
        _devicePaths = new DevicePaths(Root);
        _transfers = new TransferActions(_devicePaths, new TransferOptions(), TimeProvider.System);
        _contents = new ContentActions(_devicePaths, new ContentStore(), new TransferOptions(), TimeProvider.System);
        _actions =
        [
            new FileActions(_devicePaths, new PortacodeOptions(), new ContentStore()), new DirectoryActions(_devicePaths), new SearchActions(_devicePaths, TimeProvider.System),
            new DiffActions(_devicePaths), _transfers, _contents,
        ];
    }

    [TearDown]
    public void TearDown()
    {
        _transfers.Dispose();
        _contents.Dispose();
        _paths.Dispose();
        _rig.Dispose();
    }

    [Test]
    public async Task Path_Hostile_StaysInside(
        [Values(
            "file_read", "file_write", "file_info", "file_create", "folder_create", "file_rename", "file_move_copy", "copy", "move_to", "directory_list", "file_search", "file_apply_diff", "add", "base",
            "file_preview_diff", "transfer_prepare", "transfer_folder", "transfer_to", "file_download", "file_upload", "upload_name", "upload_chunk", "file_delete")]
        string kind)
    {
        // What stands below a link comes before the link itself, which may be deleted.
        foreach (var path in kind == "file_delete" ? _paths.Paths.Reverse() : _paths.Paths)
            _paths.AssertUntouched(await AnswerAsync(kind, path).WaitAsync(Patience.Long), path);
    }

    [Test]
    public async Task Diff_LinkSwappedInAfterTheLook_ChangesNothingOutside([Values("edit", "add", "delete", "move")] string change)
    {
        // Between the look at a path and its use stands a link where a directory was, each time.
        Directory.CreateDirectory(Path.Combine(Root, "swapped"));
        await File.WriteAllTextAsync(Path.Combine(Root, "swapped", "f"), "inside\n");
        var diff = change switch
        {
            "edit" => "--- a/swapped/f\n+++ b/swapped/f\n@@ -1 +1 @@\n-inside\n+changed\n",
            "add" => "--- /dev/null\n+++ b/swapped/new\n@@ -0,0 +1 @@\n+new\n",
            "delete" => "--- a/swapped/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-inside\n",
            _ => "@@move:f -> swapped/new@@\n",
        };
        var swapping = new DevicePaths(Root);
        var actions = new DiffActions(swapping, given =>
        {
            var path = swapping.Resolve(given);
            if (given.Contains("swapped", StringComparison.Ordinal) && !Directory.Exists(Path.Combine(Root, "aside")))
            {
                Directory.Move(Path.Combine(Root, "swapped"), Path.Combine(Root, "aside"));
                File.CreateSymbolicLink(Path.Combine(Root, "swapped"), "../outside");
            }

            return path;
        });
        var answer = await FileRig.AskAsync(actions, "file_apply_diff", new JsonObject { ["diff"] = diff });
        Assert.That((bool?)answer["success"], Is.False);
        Assert.That(Directory.Exists(Path.Combine(Root, "aside")), "it was swapped");
        _paths.AssertUntouched(answer.ToJsonString(), change);
    }

    private static byte[] Content => "changed"u8.ToArray();

    private static string ContentText => Convert.ToBase64String(Content);

    private static string ContentHex => Convert.ToHexStringLower(SHA256.HashData(Content));

    private static string Token => new('t', 40);

    [Test]
    public async Task Content_LinkSwappedInAfterTheLook_TouchesNothingOutside([Values("whole", "chunk", "new", "download")] string kind)
    {
        Directory.CreateDirectory(Path.Combine(Root, "swapped"));
        await File.WriteAllTextAsync(Path.Combine(Root, "swapped", "f"), "inside\n");
        var swapping = new DevicePaths(Root);
        using var actions = new ContentActions(swapping, new ContentStore(), new TransferOptions(), TimeProvider.System, resolve: given =>
        {
            var path = swapping.Resolve(given);
            Directory.Move(Path.Combine(Root, "swapped"), Path.Combine(Root, "aside"));
            File.CreateSymbolicLink(Path.Combine(Root, "swapped"), "../outside");
            return path;
        });
        var arguments = new JsonObject { ["path"] = kind == "new" ? "swapped/new" : "swapped/f", ["content_base64"] = ContentText, ["overwrite"] = true };
        if (kind == "chunk")
            (arguments["chunked"], arguments["transfer_id"], arguments["chunk_index"], arguments["chunk_count"], arguments["total_size"]) = (true, "t", 0, 1, ContentText.Length);
        var answer = await FileRig.AskAsync(actions, kind == "download" ? "file_download" : "file_upload", arguments);
        Assert.That((bool?)answer["success"], Is.False);
        Assert.That(answer.ToJsonString(), Does.Not.Contain(Convert.ToBase64String(Encoding.UTF8.GetBytes(HostilePaths.Secret))));
        Assert.That(Directory.Exists(Path.Combine(Root, "aside")), "it was swapped");
        _paths.AssertUntouched(answer.ToJsonString(), kind);
    }

    /// <summary>Sends the only chunk, or reads the first one, and ends the transfer.</summary>
    /// <returns>What was read.</returns>
    private async Task<string> FinishTransferAsync(bool receives)
    {
        var identity = new JsonObject { ["transfer_id"] = _transferId, ["authorization_token"] = Token };
        var chunk = identity.DeepClone().AsObject();
        (chunk["chunk_index"], chunk["content_base64"], chunk["chunk_hash"]) = (0, ContentText, ContentHex);
        var answer = await FileRig.AskAsync(_transfers, receives ? "transfer_receive_chunk" : "transfer_read_chunk", chunk);
        await FileRig.AskAllAsync(_transfers, "transfer_finalize", identity);
        return Encoding.UTF8.GetString(Convert.FromBase64String((string?)answer["content_base64"] ?? ""));
    }

    private async Task<string> AnswerAsync(string kind, string path)
    {
        _transferId = Guid.NewGuid().ToString();
        var (action, arguments) = kind switch
        {
            "file_write" => (kind, new JsonObject { ["path"] = path, ["content"] = "changed" }),
            "file_create" => (kind, new JsonObject { ["parent_path"] = path, ["file_name"] = "new" }),
            "folder_create" => (kind, new JsonObject { ["parent_path"] = path, ["folder_name"] = "new" }),
            "file_rename" => (kind, new JsonObject { ["old_path"] = "f", ["new_name"] = path }),
            "file_move_copy" => (kind, new JsonObject { ["source_path"] = path, ["destination_path"] = "real" }),
            "copy" => ("file_move_copy", new JsonObject { ["source_path"] = path, ["destination_path"] = "real", ["operation"] = "copy" }),
            "move_to" => ("file_move_copy", new JsonObject { ["source_path"] = "f", ["destination_path"] = path }),
            "file_search" => (kind, new JsonObject { ["root_path"] = path, ["query"] = "KEEP" }),
            "add" => ("file_apply_diff", new JsonObject { ["diff"] = $"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+new\n" }),
            "base" => ("file_apply_diff", new JsonObject { ["base_path"] = path, ["diff"] = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-inside\n+changed\n" }),
            "file_apply_diff" or "file_preview_diff" => (kind, new JsonObject { ["diff"] = $"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{HostilePaths.Secret[..1]}\n+changed\n" }),
            "transfer_prepare" => (kind, new JsonObject { ["transfer_id"] = _transferId, ["authorization_token"] = Token, ["role"] = "source", ["kind"] = "file", ["path"] = path, ["ttl_seconds"] = 1 }),
            "transfer_folder" => ("transfer_prepare", new JsonObject { ["transfer_id"] = _transferId, ["authorization_token"] = Token, ["role"] = "source", ["kind"] = "folder", ["path"] = path }),
            "transfer_to" => ("transfer_prepare", new JsonObject { ["transfer_id"] = _transferId, ["authorization_token"] = Token, ["role"] = "destination", ["kind"] = "file", ["path"] = path, ["overwrite"] = true, ["payload_size"] = Content.Length, ["payload_hash"] = "sha256:" + ContentHex }),
            "file_upload" => (kind, new JsonObject { ["path"] = path, ["content_base64"] = ContentText, ["overwrite"] = true }),
            "upload_name" => ("file_upload", new JsonObject { ["path"] = "real", ["file_name"] = path, ["content_base64"] = ContentText, ["overwrite"] = true }),
            "upload_chunk" => ("file_upload", new JsonObject { ["path"] = path, ["content_base64"] = ContentText, ["overwrite"] = true, ["chunked"] = true, ["transfer_id"] = Guid.NewGuid().ToString(), ["chunk_index"] = 0, ["chunk_count"] = 1, ["total_size"] = ContentText.Length }),
            _ => (kind, new JsonObject { ["path"] = path }),
        };
        try
        {
            var events = await Task.Run(() => FileRig.AskAllAsync(_actions.Single(some => some.Handlers.ContainsKey(action)), action, arguments));
            var read = action == "transfer_prepare" ? await FinishTransferAsync(receives: kind == "transfer_to") : "";
            return read + string.Concat(events.Select(one => one.Fields.ToJsonString()));
        }
        catch (LinkException e)
        {
            return e.Message;
        }
    }
}
