using FurtherLink.Security;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Ends a request under way when what was shown for it counts no more.</summary>
internal sealed class GrantEnd : IDisposable
{
    // A WebSocket's server says goodbye by itself, and who does not is cut.
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenRegistration _ended;
    private readonly ITimer? _cut;

    /// <summary>Begins to watch.</summary>
    /// <param name="context">The request.</param>
    /// <param name="time">The clock.</param>
    public GrantEnd(HttpContext context, TimeProvider time)
    {
        var ended = Grant.Of(context.User).Ended;
        if (!ended.CanBeCanceled)
            return;
        if (context.WebSockets.IsWebSocketRequest)
        {
            _cut = time.CreateTimer(static context => ((HttpContext)context!).Abort(), context, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _ended = ended.UnsafeRegister(static cut => ((ITimer)cut!).Change(Goodbye, Timeout.InfiniteTimeSpan), _cut);
        }
        else
        {
            _ended = ended.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Waits for what is ending it just now: the request is another's afterwards.
        _ended.Dispose();
        _cut?.Dispose();
    }
}
