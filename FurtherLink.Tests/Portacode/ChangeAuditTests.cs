using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Portacode;

/// <summary>What gateways change of the device's files is in the audit log, and what they only look at is not.</summary>
[TestFixture]
internal sealed class ChangeAuditTests : DeviceFixture
{
    private FileRig _folder = null!;
    private string _audit = null!;

    [TearDown]
    public void RemoveFolder()
    {
        _folder.Dispose();
        File.Delete(_audit);
    }

    [Test]
    public async Task Changes_AreWrittenDown_WithHowTheyEnded()
    {
        var gateway = await ConnectAsync(Spelling.Document);
        var content = new JsonObject { ["path"] = In("a"), ["content"] = "private" };
        await gateway.AnswerAsync("file_write", content, "file_write_response");
        await gateway.AnswerAsync("file_read", new JsonObject { ["path"] = In("a") }, "file_read_response");
        await gateway.AnswerAsync("folder_create", new JsonObject { ["parent_path"] = _folder.Root, ["folder_name"] = "sub" }, "folder_create_response");
        await gateway.AnswerAsync("file_rename", new JsonObject { ["old_path"] = In("a"), ["new_name"] = "b" }, "file_rename_response");
        await gateway.AnswerAsync(
            "file_move_copy", new JsonObject { ["source_path"] = In("b"), ["destination_path"] = In("sub"), ["operation"] = "move" }, "file_move_copy_response");
        await gateway.AnswerAsync("file_upload", Upload(In("up"), "c2VjcmV0"), "file_upload_response");
        await gateway.AnswerAsync(
            "file_apply_diff", new JsonObject { ["base_path"] = _folder.Root, ["diff"] = "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+private\n" }, "file_apply_diff_response");
        await gateway.AskAsync("file_delete", new JsonObject { ["path"] = In("none") });
        var refused = (string?)(await gateway.UntilAsync("error"))["message"];

        Assert.That(await EventsAsync(), Is.EqualTo(new[]
        {
            $"file_write {In("a")} done",
            $"folder_create {In("sub")} done",
            $"file_rename {In("a")} to {In("b")} done",
            $"file_move_copy {In("b")} to {In("sub/b")} done",
            $"file_upload {In("up")} done",
            $"file_apply_diff {In("new")} done",
            $"file_delete {In("none")} {refused}",
        }));
        var text = await File.ReadAllTextAsync(_audit);
        Assert.That(text, Does.Not.Contain("private").And.Not.Contain("c2VjcmV0"));
        Assert.That(text, Does.Contain("\"connection\":\"gateway\""));
    }

    [Test]
    public async Task UploadInPieces_IsWrittenDownWhenItIsThere()
    {
        var gateway = await ConnectAsync(Spelling.Document);
        for (var i = 0; i < 2; i++)
        {
            var piece = Upload(In("up"), "c2VjcmV0".Substring(i * 4, 4));
            piece["chunked"] = true;
            piece["transfer_id"] = "1";
            piece["chunk_index"] = i;
            piece["chunk_count"] = 2;
            piece["total_size"] = 8;
            await gateway.AnswerAsync("file_upload", piece, "file_upload_response");
        }

        Assert.That(await EventsAsync(), Is.EqualTo(new[] { $"file_upload {In("up")} done" }));
    }

    protected override void Configure(LinkBuilder builder)
    {
        _folder = new FileRig();
        _audit = Path.GetTempFileName();
        builder.Services.Configure<AccessOptions>(access => access.AuditFile = _audit);
    }

    private static JsonObject Upload(string name, string content) => new() { ["path"] = name, ["content_base64"] = content, ["overwrite"] = true };

    private string In(string name) => Path.Join(_folder.Root, name);

    /// <summary>The events of changes, all of them: the device has ended then.</summary>
    private async Task<string[]> EventsAsync()
    {
        await Host.Get<AuditLog>().DisposeAsync();
        var events = (await File.ReadAllLinesAsync(_audit, Encoding.UTF8)).Select(static line => JsonNode.Parse(line)!.AsObject())
            .Where(static one => (string?)one["event"] == "changed").ToArray();
        return [.. events.Select(static one => $"{one["action"]} {one["path"]} {one["end"]}")];
    }
}
