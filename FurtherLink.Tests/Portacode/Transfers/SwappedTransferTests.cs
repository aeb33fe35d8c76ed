using System.Formats.Tar;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Transfers;

/// <summary>Transfers kept in a root, while somebody puts links that lead out where directories were.</summary>
[SupportedOSPlatform("linux")]
internal sealed class SwappedTransferTests
{
    private static readonly string Token = new('t', 40);

    private readonly string _id = Guid.NewGuid().ToString();
    private FileRig _rig = null!;
    private HostilePaths _paths = null!;
    private DevicePaths _confined = null!;
    private TransferActions _actions = null!;
    private bool _swaps;

    private string Root => Path.Combine(_rig.Root, "root");

    [SetUp]
    public void SetUp()
    {
        _rig = new FileRig();
        _rig.Write("root/swapped/f", "inside"u8);
        _rig.Write("root/swapped/d/f", "inside"u8);
        _paths = new HostilePaths(Root);
        _confined = new DevicePaths(Root);
        _swaps = false;
        _actions = new TransferActions(_confined, new TransferOptions(), TimeProvider.System, resolve: given =>
        {
            var path = _confined.Resolve(given);
            if (_swaps)
                Swap("swapped", "../outside");
            return path;
        });
    }

    [TearDown]
    public void TearDown()
    {
        _actions.Dispose();
        _paths.Dispose();
        _rig.Dispose();
    }

    [Test]
    public async Task Prepare_LinkSwappedInAfterTheLook_TouchesNothingOutside([Values("source", "destination")] string role, [Values("file", "folder")] string kind)
    {
        _swaps = true;
        // Made and removed again, the staging folder would be seen by its directory's time alone.
        var outside = Path.Combine(_rig.Root, "outside");
        var before = Directory.GetLastWriteTimeUtc(outside);
        Assert.That(await FileRig.RefusalAsync(_actions, "transfer_prepare", Prepare(role, kind, kind == "file" ? "swapped/f" : "swapped/d")), Does.StartWith("Permission denied: "));
        Assert.That(Directory.GetLastWriteTimeUtc(outside), Is.EqualTo(before));
        Assert.That(Directory.Exists(Path.Combine(Root, "aside")), "it was swapped");
        _paths.AssertUntouched("", role);
    }

    [Test]
    public async Task Finalize_LinkSwappedInAfterThePreparation_TouchesNothingOutsideAndLeavesNothing([Values("file", "folder")] string kind)
    {
        await FileRig.AskAsync(_actions, "transfer_prepare", Prepare("destination", kind, kind == "file" ? "swapped/f" : "swapped/d"));
        await ReceiveAsync(kind);
        Swap("swapped", "../outside");
        // What the staging folder is called is no secret: whoever may write there may put one of the same name where the link leads.
        var staging = Directory.GetDirectories(Path.Combine(Root, "aside"), ".portacode-*").Single();
        var decoy = Directory.CreateDirectory(Path.Combine(_rig.Root, "outside", Path.GetFileName(staging))).FullName;
        await File.WriteAllTextAsync(Path.Combine(decoy, "payload"), "decoy");

        Assert.That(await FileRig.RefusalAsync(_actions, "transfer_finalize", Identity()), Does.StartWith("Permission denied: "));
        await FileRig.AskAsync(_actions, "transfer_cancel", Identity());
        Assert.That(await File.ReadAllTextAsync(Path.Combine(decoy, "payload")), Is.EqualTo("decoy"));
        Directory.Delete(decoy, recursive: true);
        Assert.That(Directory.GetDirectories(Path.Combine(Root, "aside"), ".portacode-*"), Is.Empty);
        _paths.AssertUntouched("", kind);
    }

    [Test]
    public async Task Finalize_StagingFolderSwappedForALink_TouchesNothingOutside([Values("file", "folder")] string kind)
    {
        await FileRig.AskAsync(_actions, "transfer_prepare", Prepare("destination", kind, "swapped/new"));
        await ReceiveAsync(kind);
        var staging = Path.GetRelativePath(Root, Directory.GetDirectories(Path.Combine(Root, "swapped"), ".portacode-*").Single());
        Swap(staging, "../../outside");

        await FileRig.AskAsync(_actions, "transfer_finalize", Identity());
        Assert.That(_rig.Read("root/swapped/new" + (kind == "file" ? "" : "/f")), Is.EqualTo(Content("file")));
        _paths.AssertUntouched("", kind);
    }

    [Test]
    public async Task Root_AsDestinationOrSource_HasNothingBesideIt()
    {
        Assert.That(await FileRig.RefusalAsync(_actions, "transfer_prepare", Prepare("destination", "folder", ".")), Does.StartWith("Path cannot be replaced: "));
        var before = Directory.GetLastWriteTimeUtc(_rig.Root);
        var answer = await FileRig.AskAsync(_actions, "transfer_prepare", Prepare("source", "folder", "."));
        Assert.That((string?)answer["state"], Is.EqualTo("ready"));
        Assert.That(Directory.GetLastWriteTimeUtc(_rig.Root), Is.EqualTo(before));
    }

    [Test]
    public async Task Archive_LinkSwappedInWhileItIsWritten_HoldsNothingFromOutside()
    {
        using var path = _confined.Again(Path.Combine(Root, "swapped"));
        using var folder = path.OpenFolder();
        var archive = new FolderArchive(folder, path.Real, new TransferOptions());
        using var written = new WatchedStream("swapped/d/", () => Swap("swapped/d", "../../outside/d"));

        await Assert.ThrowsAsync<LinkException>(async () => await archive.WriteAsync(written, CancellationToken.None));
        Assert.That(Directory.Exists(Path.Combine(Root, "aside")), "it was swapped");
        Assert.That(Encoding.UTF8.GetString(written.ToArray()), Does.Not.Contain(HostilePaths.Secret));
    }

    [Test]
    public async Task Archive_LinkPutWhereItIsUnpacked_LeadsNowhere([Values("top", "top/d")] string link)
    {
        Directory.CreateDirectory(Path.Combine(Root, "tree", "top"));
        if (link == "top")
            Directory.Delete(Path.Combine(Root, "tree", "top"));
        File.CreateSymbolicLink(Path.Combine(Root, "tree", link), Path.Combine(_rig.Root, "outside"));
        var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, link + "/new") { DataStream = new MemoryStream(Content("file")) });
        archive.Position = 0;
        using var path = _confined.Again(Path.Combine(Root, "tree"));
        using var tree = path.OpenFolder();

        await Assert.ThrowsAsync<LinkException>(async () => await FolderExtraction.RunAsync(archive, tree, 1000, 10, CancellationToken.None));
        _paths.AssertUntouched("", link);
    }

    private void Swap(string name, string target)
    {
        Directory.Move(Path.Combine(Root, name), Path.Combine(Root, "aside"));
        File.CreateSymbolicLink(Path.Combine(Root, name), target);
    }

    private async Task ReceiveAsync(string kind)
    {
        var chunk = Identity();
        var content = Content(kind);
        (chunk["chunk_index"], chunk["content_base64"], chunk["chunk_hash"]) = (0, Convert.ToBase64String(content), Convert.ToHexStringLower(SHA256.HashData(content)));
        await FileRig.AskAsync(_actions, "transfer_receive_chunk", chunk);
    }

    private static byte[] Content(string kind)
    {
        if (kind == "file")
            return "changed"u8.ToArray();
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            // The same bytes each time.
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "top/") { ModificationTime = DateTimeOffset.UnixEpoch });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "top/f") { ModificationTime = DateTimeOffset.UnixEpoch, DataStream = new MemoryStream(Content("file")) });
        }

        return archive.ToArray();
    }

    private JsonObject Identity() => new() { ["transfer_id"] = _id, ["authorization_token"] = Token };

    private JsonObject Prepare(string role, string kind, string path)
    {
        var request = Identity();
        var content = Content(kind);
        (request["role"], request["kind"], request["path"], request["overwrite"]) = (role, kind, path, true);
        (request["payload_size"], request["payload_hash"]) = (content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
        return request;
    }

    /// <summary>Keeps what is written, and does something once when that holds a text.</summary>
    private sealed class WatchedStream(string text, Action action) : MemoryStream
    {
        private bool _done;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_done && buffer.Span.IndexOf(Encoding.UTF8.GetBytes(text)) >= 0)
            {
                _done = true;
                action();
            }

            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
