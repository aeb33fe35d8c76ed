using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Portacode.Files;

/// <summary>File actions as gateways ask for them, from frame to frame.</summary>
[TestFixture(Spelling.Document)]
[TestFixture(Spelling.Legacy)]
[TestFixture(Spelling.Current)]
internal sealed class FilesOverGatewayTests(Spelling spelling) : DeviceFixture
{
    [Test]
    public async Task File_WrittenReadListedFoundAndDeleted_IsAnsweredToWhoAsks()
    {
        using var folder = new FileRig();
        var path = Path.Join(folder.Root, "f");
        var gateway = await ConnectAsync(spelling);
        var answer = await gateway.AnswerAsync("file_write", new JsonObject { ["path"] = path, ["content"] = "ä😀\r\n" }, "file_write_response");
        Assert.That((int)answer["bytes_written"]!, Is.EqualTo(8));
        answer = await gateway.AnswerAsync("file_read", new JsonObject { ["path"] = path }, "file_read_response");
        Assert.That((string?)answer["content"], Is.EqualTo("ä😀\r\n"));
        answer = await gateway.AnswerAsync("directory_list", new JsonObject { ["path"] = folder.Root }, "directory_list_response");
        Assert.That((string?)answer["items"]![0]!["name"], Is.EqualTo("f"));
        answer = await gateway.AnswerAsync("file_search", new JsonObject { ["root_path"] = folder.Root, ["query"] = "😀" }, "file_search_response");
        Assert.That((int)answer["matches_returned"]!, Is.EqualTo(1));
        answer = await gateway.AnswerAsync("file_delete", new JsonObject { ["path"] = path }, "file_delete_response");
        Assert.That((string?)answer["deleted_type"], Is.EqualTo("file"));
        await gateway.AskAsync("file_read", new JsonObject { ["path"] = path });
        answer = await gateway.UntilAsync("error");
        Assert.That((string?)answer["message"], Is.EqualTo($"File not found: {path}"));
    }
}
