using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace FurtherLink.Device;

/// <summary>
/// Which version of a Debian package is installed, as <c>apt-cache policy</c> says it but read from dpkg's and apt's own files: nothing is
/// run. Answers are kept for as long as the files stay the same. Thread safe.
/// </summary>
/// <param name="statusFile">What is installed. dpkg-query(1).</param>
/// <param name="listsDirectory">What could be: the package lists of apt, uncompressed. apt.conf(5), Dir::State::Lists.</param>
public sealed class DebianPackages(string statusFile = "/var/lib/dpkg/status", string listsDirectory = "/var/lib/apt/lists") : IDisposable
{
    /// <summary>The answer for a package that is known and not installed.</summary>
    public const string NotInstalled = "(none)";

    // Lists are tens of megabytes on a memory card: after this an unanswered name counts as unknown.
    private static readonly TimeSpan ScanTime = TimeSpan.FromSeconds(5);

    // Names are a client's choice, so their number is bounded; full means that all are looked up again.
    private const int MaxKnown = 1024;

    private readonly SemaphoreSlim _reading = new(1);
    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);
    private Dictionary<string, string> _installed = new(StringComparer.Ordinal);
    private (DateTime, long) _statusStamp;
    private DateTime _listsStamp;

    /// <summary>Whether a text can be a package's name: Debian Policy section 5.6.7.</summary>
    public static bool IsName([NotNullWhen(true)] string? name) =>
        name is { Length: >= 2 } && char.IsAsciiLetterOrDigit(name[0]) && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    /// <summary>Looks a package up.</summary>
    /// <param name="name">The package's name alone: no architecture, version or option.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The installed version; <see cref="NotInstalled"/>; null where there is no such package.</returns>
    public async Task<string?> FindVersionAsync(string name, CancellationToken cancellationToken)
    {
        if (!IsName(name))
            return null;
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Off the caller's thread: this one waits for disks.
            return await Task.Run(() => Find(name, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();

    private string? Find(string name, CancellationToken cancellationToken)
    {
        ReadStatus();
        if (_installed.TryGetValue(name, out var version))
            return version;
        var stamp = Directory.Exists(listsDirectory) ? Directory.GetLastWriteTimeUtc(listsDirectory) : default;
        if (stamp != _listsStamp || _known.Count >= MaxKnown)
            _known.Clear();
        _listsStamp = stamp;
        if (!_known.TryGetValue(name, out var known))
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            time.CancelAfter(ScanTime);
            known = ListsHold(name, time.Token);
            cancellationToken.ThrowIfCancellationRequested();
            if (known || !time.IsCancellationRequested)
                _known[name] = known;
        }
        return known ? NotInstalled : null;
    }

    private void ReadStatus()
    {
        var file = new FileInfo(statusFile);
        var stamp = file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
        if (stamp == _statusStamp)
            return;
        var installed = new Dictionary<string, string>(StringComparer.Ordinal);
        if (file.Exists)
        {
            string? package = null, version = null, status = null, architecture = null;
            foreach (var line in File.ReadLines(statusFile).Append(""))
            {
                if (line.Length == 0)
                {
                    Add(installed, package, status, architecture, version);
                    package = version = status = architecture = null;
                }
                package ??= Field(line, "Package: ");
                version ??= Field(line, "Version: ");
                status ??= Field(line, "Status: ");
                architecture ??= Field(line, "Architecture: ");
            }
        }
        _installed = installed;
        _statusStamp = stamp;
    }

    private static void Add(Dictionary<string, string> installed, string? package, string? status, string? architecture, string? version)
    {
        if (package is null)
            return;
        // "want flag state": a package that left its configuration behind is known and not installed.
        var state = status?[(status.LastIndexOf(' ') + 1)..];
        var isInstalled = version is not null && state is not (null or "not-installed" or "config-files");
        // Of several architectures the machine's own counts.
        if (isInstalled && (architecture == "all" || architecture == OwnArchitecture || installed.GetValueOrDefault(package, NotInstalled) == NotInstalled))
            installed[package] = version!;
        else
            installed.TryAdd(package, NotInstalled);
    }

    private bool ListsHold(string name, CancellationToken time)
    {
        if (!Directory.Exists(listsDirectory))
            return false;
        // Every stanza begins with its name; the first of a file has no line before it.
        var pattern = Encoding.UTF8.GetBytes($"\nPackage: {name}\n");
        foreach (var list in Directory.EnumerateFiles(listsDirectory, "*_Packages"))
        {
            if (time.IsCancellationRequested)
                return false;
            if (Holds(list, pattern, time))
                return true;
        }
        return false;
    }

    private static bool Holds(string list, byte[] pattern, CancellationToken time)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            using var file = File.OpenHandle(list, options: FileOptions.SequentialScan);
            buffer[0] = (byte)'\n';
            var kept = 1;
            long at = 0;
            while (!time.IsCancellationRequested)
            {
                var read = RandomAccess.Read(file, buffer.AsSpan(kept), at);
                if (read == 0)
                    return false;
                at += read;
                var filled = buffer.AsSpan(0, kept + read);
                if (filled.IndexOf(pattern) >= 0)
                    return true;
                // The pattern may lie across two reads.
                kept = Math.Min(pattern.Length - 1, filled.Length);
                filled[^kept..].CopyTo(buffer);
            }
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A list that apt is just replacing.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? Field(string line, string name) => line.StartsWith(name, StringComparison.Ordinal) ? line[name.Length..].Trim() : null;

    private static SearchValues<char> NameCharacters { get; } = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789+-.");

    private static string OwnArchitecture { get; } = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "i386",
        Architecture.Arm64 => "arm64",
        Architecture.Arm => "armhf",
        var other => other.ToString().ToLowerInvariant(),
    };
}
