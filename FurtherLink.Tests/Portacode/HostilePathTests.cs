using System.Runtime.Versioning;
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

    private string Root => Path.Combine(_rig.Root, "root");

    [SetUp]
    public void SetUp()
    {
        _rig = new FileRig();
        _rig.Write("root/f", "inside"u8);
        _paths = new HostilePaths(Root);
        _devicePaths = new DevicePaths(Root);
        _transfers = new TransferActions(_devicePaths.Resolve, new TransferOptions(), TimeProvider.System);
        _actions =
        [
            new FileActions(_devicePaths, new PortacodeOptions(), new ContentStore()), new DirectoryActions(_devicePaths), new SearchActions(_devicePaths, TimeProvider.System),
            new DiffActions(_devicePaths), _transfers,
        ];
    }

    [TearDown]
    public void TearDown()
    {
        _transfers.Dispose();
        _paths.Dispose();
        _rig.Dispose();
    }

    [Test]
    public async Task Path_Hostile_StaysInside(
        [Values(
            "file_read", "file_write", "file_info", "file_create", "folder_create", "file_rename", "file_move_copy", "copy", "move_to", "directory_list", "file_search", "file_apply_diff", "add", "base",
            "file_preview_diff", "transfer_prepare")]
        string kind)
    {
        foreach (var path in _paths.Paths)
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

    private async Task<string> AnswerAsync(string kind, string path)
    {
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
            "transfer_prepare" => (kind, new JsonObject { ["transfer_id"] = Guid.NewGuid().ToString(), ["transfer_token"] = new string('t', 40), ["role"] = "source", ["kind"] = "file", ["path"] = path, ["ttl_seconds"] = 1 }),
            _ => (kind, new JsonObject { ["path"] = path }),
        };
        try
        {
            var events = await Task.Run(() => FileRig.AskAllAsync(_actions.Single(some => some.Handlers.ContainsKey(action)), action, arguments));
            return string.Concat(events.Select(one => one.Fields.ToJsonString()));
        }
        catch (LinkException e)
        {
            return e.Message;
        }
    }
}
