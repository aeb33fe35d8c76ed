namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>How it stands between the device and the gateway that it dials.</summary>
public enum GatewayState
{
    /// <summary>There is no connection; attempts are made.</summary>
    Waiting,

    /// <summary>The gateway has taken the device's key, and the connection is alive.</summary>
    Connected,

    /// <summary>The gateway does not take the device's key.</summary>
    Rejected,
}

/// <summary>What was last known of the gateway that the device dials.</summary>
/// <param name="State">How it stands.</param>
/// <param name="Why">Why there is no connection, in words; "" = there was no attempt yet, or there is one.</param>
/// <param name="IsLast">Whether nothing more is tried.</param>
public sealed record GatewayReport(GatewayState State, string Why, bool IsLast);

/// <summary>Tells whether the device is connected to the gateway that it dials: authenticated, not just running. Thread safe.</summary>
public sealed class GatewayStatus
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is known now.</summary>
    public GatewayReport Current { get; private set; } = new(GatewayState.Waiting, "", IsLast: false);

    /// <summary>Waits until something is so; what is so for a short time only may be missed.</summary>
    /// <param name="condition">What is waited for.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The report that meets the condition.</returns>
    /// <exception cref="OperationCanceledException">It was told to end.</exception>
    public async Task<GatewayReport> WaitAsync(Func<GatewayReport, bool> condition, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (condition(Current))
                    return Current;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reports something new.</summary>
    internal void Report(GatewayState state, string why = "", bool isLast = false)
    {
        lock (_lock)
        {
            Current = new GatewayReport(state, why, isLast);
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
