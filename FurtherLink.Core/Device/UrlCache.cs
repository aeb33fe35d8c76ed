using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// Files fetched from their addresses, each once: kept in ".flcache" of the work directory and never refreshed; in one that several users share, in
/// ".flcache-UID". What another user could change is not used. Thread safe.
/// </summary>
internal sealed class UrlCache : IDisposable
{
    private const string FolderName = ".flcache";

    private readonly Lazy<HttpClient> _http;
    private readonly TimeSpan _stall;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Ledger? _ledger;

    /// <summary>Makes a cache.</summary>
    /// <param name="connectTimeout">How long to wait for a connection; then the network counts as out of reach.</param>
    /// <param name="stall">How long a server may send nothing; then the download has failed.</param>
    /// <param name="time">The clock of the progress in the log.</param>
    /// <param name="logger">Where progress is said.</param>
    /// <param name="ledger">Where what is not yet fetched is written down for the case of a crash; null = nowhere.</param>
    public UrlCache(TimeSpan connectTimeout, TimeSpan stall, TimeProvider time, ILogger logger, Ledger? ledger = null)
    {
        _stall = stall;
        _time = time;
        _logger = logger;
        _ledger = ledger;
        _http = new Lazy<HttpClient>(() => Open(connectTimeout));
    }

    /// <summary>Sees to it that a file is in the cache.</summary>
    /// <returns>Its absolute path; null where it is not there and the network cannot be reached.</returns>
    /// <exception cref="LinkException">The server refuses, stalls or breaks off; or the path is forbidden.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task<string?> EnsureAsync(ConfinedRoot work, UploadFile file, CancellationToken cancellationToken)
    {
        var cached = PathOf(work, file);
        using var place = work.Resolve(cached, "cached file");
        try
        {
            DemandOwn(work, place);
            if (place.Parent.Look(place.Leaf) is not { IsRegular: true } && !await FetchAsync(work, place, file, cancellationToken).ConfigureAwait(false))
            {
                place.Undo();
                return null;
            }
            return Path.Combine(work.Path, cached.ToString());
        }
        catch
        {
            place.Undo();
            throw;
        }
    }

    /// <summary>Opens a file of the cache; null where it is not there.</summary>
    public static SafeFileHandle? TryRead(ConfinedRoot work, UploadFile file)
    {
        using var place = work.Resolve(PathOf(work, file), "cached file");
        DemandOwn(work, place);
        return place.Parent.TryRead(place.Leaf);
    }

    /// <summary>Whether a name in a work directory is that of a cache.</summary>
    public static bool IsFolder(string name) => name == FolderName || name.StartsWith(FolderName + "-", StringComparison.Ordinal);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_http.IsValueCreated)
            _http.Value.Dispose();
    }

    private static HttpClient Open(TimeSpan connectTimeout)
    {
        var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = connectTimeout, PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("FurtherLink", FurtherLinkVersion.Current));
        // What is fetched is asked for by a client: a server on this device that lets in this process's user, as this one does, is not to take it for that.
        http.DefaultRequestHeaders.Via.Add(new ViaHeaderValue("1.1", "furtherlink"));
        return http;
    }

    private static RelativePath PathOf(ConfinedRoot work, UploadFile file) =>
        file.CachePath.Below(work.IsShared ? string.Create(CultureInfo.InvariantCulture, $"{FolderName}-{work.FileOwner!.Uid}") : FolderName);

    // A program of theirs runs what is here.
    private static void DemandOwn(ConfinedRoot work, Place place)
    {
        if (place.Way.Any(folder => !IsOwn(folder.Owner)) || place.Parent.Look(place.Leaf) is { Uid: var uid } && !IsOwn(uid))
            throw new LinkException(FailureCode.Failed, $"the cache of fetched files, {place.First} in the work directory, is another user's in part: remove it");

        bool IsOwn(uint uid) => uid == 0 || uid == LibcAt.geteuid() || uid == work.FileOwner?.Uid;
    }

    private async Task<bool> FetchAsync(ConfinedRoot work, Place place, UploadFile file, CancellationToken cancellationToken)
    {
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stalled.CancelAfter(_stall);
        HttpResponseMessage response;
        try
        {
            response = await _http.Value.GetAsync(file.Address, HttpCompletionOption.ResponseHeadersRead, stalled.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (IsOutOfReach(e))
        {
            return false;
        }
        catch (HttpRequestException e)
        {
            throw Failed(file, e.Message, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // The connection was refused by silence, or made and nothing answered.
            return e.InnerException is TimeoutException ? false : throw Failed(file, "the server sends nothing", e);
        }
        using (response)
        {
            if (response.StatusCode != System.Net.HttpStatusCode.OK)
                throw Failed(file, $"the server answers {(int)response.StatusCode}", null);
            await SaveAsync(response, work, place, file, stalled, cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    private async Task SaveAsync(
        HttpResponseMessage response, ConfinedRoot work, Place place, UploadFile file, CancellationTokenSource stalled, CancellationToken cancellationToken)
    {
        var temporary = Folder.TemporaryName();
        using var note = _ledger?.Note(Path.Combine(place.Parent.RealPath, temporary), place.Made);
        try
        {
            using (var target = place.Parent.Create(temporary, work.FileOwner))
            {
                var body = await response.Content.ReadAsStreamAsync(stalled.Token).ConfigureAwait(false);
                var progress = new UploadProgress(file.Address!.ToString(), response.Content.Headers.ContentLength ?? 0, _time, _logger);
                var buffer = new byte[64 * 1024];
                long length = 0;
                while (true)
                {
                    stalled.CancelAfter(_stall);
                    var read = await ReadAsync(body, buffer, file, stalled.Token, cancellationToken).ConfigureAwait(false);
                    if (read == 0)
                        break;
                    RandomAccess.Write(target, buffer.AsSpan(0, read), length);
                    length += read;
                    progress.Add(read);
                }
            }
            _ = place.Parent.Rename(temporary, place.Leaf);
        }
        catch
        {
            place.Parent.Remove(temporary);
            throw;
        }
    }

    private static async Task<int> ReadAsync(
        Stream body, byte[] buffer, UploadFile file, CancellationToken stalled, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, stalled).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(file, "the server sends nothing", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Failed(file, $"the download broke off: {e.Message}", e);
        }
    }

    /// <summary>No such name, no route, refused, or closed before any answer.</summary>
    private static bool IsOutOfReach(HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError => true,
        HttpRequestError.ResponseEnded => true,
        // A handshake that is cut off, as opposed to a certificate that is refused.
        HttpRequestError.SecureConnectionError => failure.InnerException is IOException,
        _ => failure.InnerException is IOException { InnerException: SocketException },
    };

    private static LinkException Failed(UploadFile file, string why, Exception? inner) =>
        new(FailureCode.Failed, $"the file \"{file.Path}\" cannot be fetched from {file.Address}: {why}", inner);
}
