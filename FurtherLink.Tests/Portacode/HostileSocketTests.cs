using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Gateways;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Portacode;

/// <summary>Paths that lead out, from a gateway over a real WebSocket to a device that is kept in a root.</summary>
[TestFixture]
internal sealed class HostileSocketTests : DeviceFixture
{
    private TemporaryFolder _folder = null!;
    private HostilePaths _paths = null!;

    [TearDown]
    public void RemoveFolder()
    {
        _paths.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Path_Hostile_IsAnsweredAndTheConnectionGoesOn()
    {
        using var identity = DeviceIdentity.Open(_folder["keys"]);
        await using var listener = await DialledGateway.StartAsync(Spelling.Document);
        var serving = SocketDevice.DialAsync(Host.Server, identity, MakeGateway(), listener.Address);
        var gateway = await listener.NextAsync();
        await gateway.UntilAsync("terminal_list");
        foreach (var path in _paths.Paths)
        {
            var arguments = new JsonObject { ["path"] = path, ["content"] = "changed", ["content_base64"] = "Y2hhbmdlZA==", ["overwrite"] = true };
            (arguments["transfer_id"], arguments["authorization_token"], arguments["role"], arguments["kind"]) = (Guid.NewGuid().ToString(), new string('t', 40), "source", "folder");
            foreach (var action in new[] { "file_read", "file_write", "file_upload", "transfer_prepare" })
                await gateway.AskAsync(action, arguments.DeepClone().AsObject());
            for (var answers = 0; answers < 4; answers++)
            {
                var answer = await gateway.AnyAsync("error", "file_read_response", "file_write_response", "file_upload_response", "transfer_prepared").WaitAsync(Patience.Long);
                _paths.AssertUntouched(answer.ToJsonString(), path);
            }
        }

        await gateway.Wire.CutAsync();
        await serving.WaitAsync(Patience.Long);
    }

    protected override void Configure(LinkBuilder builder)
    {
        _folder = new TemporaryFolder();
        var root = Directory.CreateDirectory(_folder["root"]).FullName;
        _paths = new HostilePaths(root);
        builder.Services.Configure<PortacodeOptions>(options => options.FileRoot = root);
    }
}
