using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Tests.Device;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Tests.Portacode.Files;

/// <summary>A temporary folder, and actions on files that reach the whole device.</summary>
internal abstract class FilesFixture
{
    private FileRig _rig = null!;

    /// <summary>The folder.</summary>
    protected string Folder => _rig.Root;

    protected FileActions Actions { get; private set; } = null!;

    [SetUp]
    public void MakeFolder()
    {
        _rig = new FileRig();
        Actions = new FileActions(new DevicePaths(null), new PortacodeOptions(), new ContentStore());
    }

    [TearDown]
    public void RemoveFolder() => _rig.Dispose();

    protected static UTF8Encoding Utf8 { get; } = new(encoderShouldEmitUTF8Identifier: false);

    protected string In(string name) => Path.Join(Folder, name);

    protected string Write(string name, string content) => _rig.Write(name, Utf8.GetBytes(content));

    protected string Write(string name, byte[] content) => _rig.Write(name, content);

    protected string Read(string name) => Utf8.GetString(File.ReadAllBytes(In(name)));

    /// <summary>Every name below the folder: whatever was left behind shows.</summary>
    protected string[] Names() => [.. NamesBelow("").Order(StringComparer.Ordinal)];

    protected string MakeDirectory(string name) => Directory.CreateDirectory(In(name)).FullName;

    protected string Link(string name, string target)
    {
        File.CreateSymbolicLink(In(name), target);
        return In(name);
    }

    /// <summary>Makes what no action waits for: a pipe that nobody writes to or reads from.</summary>
    protected string Pipe(string name)
    {
        Assert.That(Shell.Run(Folder, $"mkfifo {name}"), Is.Zero);
        return In(name);
    }

    protected Task<JsonObject> AskAsync(string action, JsonObject arguments) => FileRig.AskAsync(Actions, action, arguments);

    protected Task<string> RefusalAsync(string action, JsonObject arguments) => FileRig.RefusalAsync(Actions, action, arguments);

    protected static PortacodeRequest Request(JsonObject arguments)
    {
        using var document = JsonDocument.Parse(arguments.ToJsonString());
        return new PortacodeRequest("test", document.RootElement.Clone());
    }

    /// <summary>Does something with the rights of a user who owns nothing here; where the tests are no root's, with their own.</summary>
    protected T AsNobody<T>(Func<T> action)
    {
        File.SetUnixFileMode(Folder, (UnixFileMode)0x1ED); // 755
        using var _ = Environment.IsPrivilegedProcess ? new FileUser(UserAccount.TryFind("nobody")!) : default;
        return action();
    }

    protected string RefusalAsNobody(Func<JsonObject> action) => AsNobody(() => Assert.Throws<LinkException>(() => action())!.Message);

    private IEnumerable<string> NamesBelow(string folder)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(In(folder), "*", new EnumerationOptions { AttributesToSkip = FileAttributes.None }))
        {
            var name = Path.Join(folder, Path.GetFileName(path));
            if (!Directory.Exists(path) || new FileInfo(path).LinkTarget is not null)
            {
                yield return name;
                continue;
            }
            yield return name + "/";
            foreach (var below in NamesBelow(name))
                yield return below;
        }
    }

    protected static string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);

    protected static void SetMode(string path, string octal) => File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(octal, 8));
}
