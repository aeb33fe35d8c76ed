using System.Diagnostics;
using System.Net.Sockets;

namespace FurtherLink.Tests.Support;

/// <summary>
/// Paths that a client gives to get out of a directory, or to have the server wait for ever; and what stands in that directory for them. Beside it lies
/// "outside", which nothing may read or change.
/// </summary>
internal sealed class HostilePaths : IDisposable
{
    /// <summary>What files outside hold; it must be in no answer.</summary>
    public const string Secret = "KEEP-OUT-7f3a";

    private readonly string _root;
    private readonly string _outside;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Puts the traps there.</summary>
    /// <param name="root">The directory that paths must stay in; it exists.</param>
    public HostilePaths(string root)
    {
        _root = root;
        _outside = Path.Combine(Path.GetDirectoryName(root)!, "outside");
        Directory.CreateDirectory(Path.Combine(_outside, "d"));
        File.WriteAllText(Path.Combine(_outside, "f"), Secret);
        File.WriteAllText(Path.Combine(_outside, "d", "f"), Secret);
        Directory.CreateDirectory(Path.Combine(root, "real", "deep"));
        Link("out", "../outside");
        Link("out-absolute", _outside);
        Link("real/out", "../../outside");
        Link("real/deep/out", "../../../outside/d");
        Link("out-file", "../outside/f");
        Link("chain", "real/deep/out");
        Link("top", "/");
        Link("up", "..");
        Link("dangling", "../outside/new");
        Link("dangling-absolute", Path.Combine(_outside, "new"));
        Link("self", "self");
        Link("loop-a", "loop-b/x");
        Link("loop-b", "loop-a/x");
        Link("zero", "/dev/zero");
        Link("process", "/proc/self/root");
        Pipe("pipe");
        Pipe("real/pipe");
        _socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(root, "socket")));
        _socket.Listen();
    }

    /// <summary>The paths. Some may be carried out, inside; none may touch anything outside.</summary>
    public IEnumerable<string> Paths =>
    [
        "", ".", "..", "./", "../", "/", "//", "///etc", "....", ".../f",
        "../outside", "../outside/f", "../outside/new", "real/../../outside/f", "real/deep/../../../outside/f", "./../outside/f", "real//..//..//outside/f",
        "a/../../outside/f", "a/b/../../../outside/f", _outside, _outside + "/f", _outside + "/new", "/etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin",
        _root + "/../outside/f", _root + "-evil/f", "..\\outside\\f", "%2e%2e/outside/f", "..%2foutside%2ff", "..%c0%afoutside", "\u2025/outside/f", "..\u2215outside\u2215f", "\uff0e\uff0e/outside/f",
        "out", "out/", "out/f", "out/new", "out/d/f", "out/../outside/f", "out-absolute/f", "out-absolute/new", "real/out/f", "real/out/new", "real/deep/out/f", "chain/f", "chain/new", "out-file",
        "out-file/", "out-file/x", "top", "top" + _outside + "/f", "top/etc/passwd", "up", "up/outside/f", "up/outside/new", "dangling", "dangling/x", "dangling-absolute", "self", "self/x",
        "loop-a", "loop-b/x", "zero", "process" + _outside + "/f", "process/etc/passwd",
        "pipe", "pipe/", "pipe/x", "real/pipe", "socket", "socket/x",
        "a\0b", "\0", "out\0/f", "../outside/f\0.txt", new string('x', 300), new string('x', 5000), string.Concat(Enumerable.Repeat("d/", 3000)) + "f",
        string.Concat(Enumerable.Repeat("../", 40)) + "etc/passwd", "Real", "REAL/x", "OUT/f", "pipe ", "trailing.", "trailing ", "a\nb", "a\u001b[2Jb", "\u202egnp.exe", "a\u200db", "\ufeff..", "-rf", "~", "~root/x", "$HOME", "con", "a:b", "*", "?",
    ];

    /// <summary>Asserts that nothing outside was read into an answer, made, changed or removed.</summary>
    /// <param name="answer">What was answered.</param>
    /// <param name="path">The path that was given.</param>
    public void AssertUntouched(string? answer, string path)
    {
        var names = Directory.GetFileSystemEntries(_outside, "*", SearchOption.AllDirectories).Select(name => Path.GetRelativePath(_outside, name)).Order(StringComparer.Ordinal);
        Assert.Multiple(() =>
        {
            Assert.That(names, Is.EqualTo(new[] { "d", "d/f", "f" }), path);
            Assert.That(File.ReadAllText(Path.Combine(_outside, "f")) + File.ReadAllText(Path.Combine(_outside, "d", "f")), Is.EqualTo(Secret + Secret), path);
            Assert.That(Directory.GetFileSystemEntries(Path.GetDirectoryName(_root)!).Select(Path.GetFileName), Has.None.EqualTo("new").And.None.EqualTo("x"), path);
            Assert.That(answer ?? "", Does.Not.Contain(Secret).And.Not.Contain("root:x:0:0"), path);
        });
    }

    public void Dispose() => _socket.Dispose();

    private void Link(string name, string target) => File.CreateSymbolicLink(Path.Combine(_root, name), target);

    private void Pipe(string name)
    {
        using var made = Process.Start("mkfifo", [Path.Combine(_root, name)]);
        made.WaitForExit();
    }
}
