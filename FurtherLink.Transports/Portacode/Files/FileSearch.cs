using System.Text;
using System.Text.RegularExpressions;
using FurtherLink.Device;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Looks for lines in all text files below a folder. Links to files are followed, links to folders are not, so there are no circles.</summary>
internal sealed class FileSearch
{
    // Whoever writes text puts no NUL in it; what is no text mostly has one early.
    private const int BinaryProbe = 8192;

    // The search of the last line may take a second more: ten in all.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10) - LineMatcher.Timeout;

    private readonly SearchRequest _request;
    private readonly HeldFolder _top;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly CancellationToken _cancellationToken;
    private readonly SearchResult _result;
    private readonly LineMatcher _matcher;
    private readonly List<GlobPattern> _included;
    private readonly List<GlobPattern> _excluded;
    private readonly List<(int Start, int End)> _spans = [];
    private byte[] _buffer = new byte[64 * 1024];

    private FileSearch(SearchRequest request, HeldFolder top, TimeProvider time, CancellationToken cancellationToken)
    {
        _request = request;
        _top = top;
        _time = time;
        _began = time.GetTimestamp();
        _cancellationToken = cancellationToken;
        _result = new SearchResult(request);
        _matcher = new LineMatcher(request);
        _included = [.. request.IncludePatterns.Select(GlobPattern.Parse)];
        _excluded = [.. request.ExcludePatterns.Select(GlobPattern.Parse)];
    }

    private bool IsOver => _result.IsCutShort || _result.IsFull;

    /// <summary>Searches.</summary>
    /// <param name="request">What is looked for.</param>
    /// <param name="top">The folder.</param>
    /// <param name="time">What the time limit is measured with.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkException">The query or a pattern is none.</exception>
    public static SearchResult Run(SearchRequest request, HeldFolder top, TimeProvider time, CancellationToken cancellationToken)
    {
        var search = new FileSearch(request, top, time, cancellationToken);
        search.Run();
        return search._result;
    }

    private void Run()
    {
        var pending = new Stack<string>();
        pending.Push("");
        while (!IsOver && pending.TryPop(out var folder))
        {
            var folders = new List<string>();
            try
            {
                SearchFolder(folder, folders);
            }
            catch (Exception e) when (FileFaults.IsExpected(e))
            {
                AddError(e, folder);
            }
            catch (LinkException)
            {
                // It was led out of the root meanwhile: what is there is nobody's business.
            }
            for (var i = folders.Count - 1; i >= 0; i--)
                pending.Push(folders[i]);
        }
    }

    private void SearchFolder(string relative, List<string> folders)
    {
        using var opened = relative.Length == 0 ? null : _top.Open(relative);
        var folder = opened ?? _top;
        var names = folder.Names().Where(name => _request.IncludeHidden || !name.StartsWith('.')).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (!IsInTime())
                return;
            var path = relative.Length == 0 ? name : $"{relative}/{name}";
            if (_excluded.Exists(pattern => pattern.IsMatch(path)))
                continue;
            try
            {
                var own = folder.Look(name);
                if (own is { IsDirectory: true })
                {
                    folders.Add(path);
                    continue;
                }
                if (_included.Count > 0 && !_included.Exists(pattern => pattern.IsMatch(path)))
                    continue;
                var status = own is { IsLink: true } ? PathStatus.TryOf(folder.PathTo(name), followLinks: true) : own;
                if (status is { IsFile: true } && status.Size <= _request.MaxFileSize)
                    SearchFile(folder, name, path, status.Size);
            }
            catch (Exception e) when (FileFaults.IsExpected(e))
            {
                AddError(e, path);
            }
            catch (LinkException)
            {
                // A link out of the root: what is there is nobody's business.
            }
            if (IsOver)
                return;
        }
    }

    private void SearchFile(HeldFolder folder, string name, string path, long size)
    {
        // What says that it is empty while it is not is a file of /proc or its like.
        var length = 0;
        if (size > 0)
        {
            if (_buffer.Length < size)
                _buffer = new byte[Math.Min(size * 2, _request.MaxFileSize)];
            using var file = folder.OpenToRead(name);
            for (int read; length < size && (read = RandomAccess.Read(file, _buffer.AsSpan(length, (int)size - length), length)) > 0;)
                length += read;
        }
        var bytes = _buffer.AsSpan(0, length);
        if (bytes[..Math.Min(length, BinaryProbe)].Contains((byte)0))
            return;
        _result.BeginFile(path);
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        try
        {
            SearchText(Encoding.UTF8.GetString(bytes));
        }
        catch (RegexMatchTimeoutException)
        {
            _result.AddError($"Search took too long: {FileNames.Join(_request.Root, path)}");
        }
    }

    private void SearchText(ReadOnlySpan<char> text)
    {
        for (var number = 1; !text.IsEmpty && IsInTime(); number++)
        {
            var end = text.IndexOf('\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            if (line.EndsWith('\r'))
                line = line[..^1];
            _spans.Clear();
            _matcher.Find(line, _spans);
            if (_spans.Count > 0)
                _result.Add(number, line, _spans);
        }
    }

    private bool IsInTime()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        if (_time.GetElapsedTime(_began) < TimeLimit)
            return true;
        _result.IsCutShort = true;
        return false;
    }

    private void AddError(Exception exception, string path) =>
        _result.AddError(FileFaults.Explain(exception, path.Length == 0 ? _request.Root : FileNames.Join(_request.Root, path)).Message);
}
