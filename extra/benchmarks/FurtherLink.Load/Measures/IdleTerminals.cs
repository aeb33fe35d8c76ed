using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>Terminals in which nothing happens, each over a connection of its own, whose pings are answered.</summary>
/// <param name="peer">Where.</param>
internal sealed class IdleTerminals(FurtherLinkPeer peer) : IDisposable
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(500);
    private readonly List<Link> _links = [];
    private Timer? _timer;

    /// <summary>Opens more, until there are so many.</summary>
    public void Open(int count)
    {
        _timer ??= new Timer(_ => Attend(), state: null, Often, Often);
        while (_links.Count < count)
        {
            var link = peer.Open("printf .; exec sleep 100000", terminal: true);
            link.Receive(1);
            lock (_links)
                _links.Add(link);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        lock (_links)
        {
            _links.ForEach(static link => link.Dispose());
            _links.Clear();
        }
    }

    private void Attend()
    {
        lock (_links)
            _links.ForEach(static link => link.Attend());
    }
}
