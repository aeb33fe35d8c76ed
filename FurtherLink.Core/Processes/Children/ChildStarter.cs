using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Leftovers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Processes.Children;

/// <summary>Starts programs and serves them until they are disposed; disposing it ends those that are left, all at once. Thread safe.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ChildStarter : IAsyncDisposable
{
    private readonly IoLoop _loop;
    private readonly Spawner _spawner = new();
    private readonly ChildTable _table;
    private readonly MemberSearch _search;
    private readonly ChildKiller _killer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Makes a starter, which does nothing yet.</summary>
    /// <param name="loop">The loop that serves them.</param>
    /// <param name="options">The core's settings.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="logger">Where it logs; null = nowhere.</param>
    /// <param name="ledger">Where its programs are written down for the case of a crash; null = nowhere.</param>
    public ChildStarter(IoLoop loop, IOptions<LinkOptions> options, TimeProvider? time = null, ILogger<ChildStarter>? logger = null, Ledger? ledger = null)
    {
        _loop = loop;
        _table = new ChildTable(options.Value.AdoptOrphans, ledger);
        _time = time ?? TimeProvider.System;
        _search = new MemberSearch(_table);

        // What the kernel does takes real time, whatever clock policies go by.
        _killer = new ChildKiller(_table, TimeProvider.System);
        _logger = logger ?? NullLogger<ChildStarter>.Instance;
    }

    /// <summary>Starts a program.</summary>
    /// <param name="request">What to start; its mark is given here.</param>
    /// <param name="options">How it is served.</param>
    /// <param name="cancellationToken">Gives up before it exists.</param>
    /// <exception cref="LinkException">It cannot be started; the message says why.</exception>
    public async Task<ChildProcess> StartAsync(SpawnRequest request, ChildOptions options, CancellationToken cancellationToken)
    {
        request = request with { Mark = _table.Prepare() };
        var spawned = await _spawner.SpawnAsync(request, cancellationToken).ConfigureAwait(false);
        var child = new ChildProcess(_loop, _table, _search, _killer, spawned, request, options, _time, _logger);
        try
        {
            child.Start();
            return child;
        }
        catch
        {
            await child.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_table.Programs.Select(program => program.DisposeAsync().AsTask())).ConfigureAwait(false);
        _spawner.Dispose();
        _table.Dispose();
    }
}
