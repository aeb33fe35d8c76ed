namespace FurtherLink.Client;

/// <summary>How a <see cref="FurtherLinkClient"/> behaves.</summary>
public sealed record ClientOptions
{
    private readonly int _window = 256 * 1024;
    private readonly int _maxMessage = 16 * 1024 * 1024;

    /// <summary>What the client calls itself; others who are attached are shown it. Default "".</summary>
    public string Label { get; init; } = "";

    /// <summary>
    /// A token that the server has given out, shown at the beginning of each connection, and over none that others may read along. Null, the
    /// default = none.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>
    /// How long it tries to come back after a lost connection, before its sessions fail; sessions that it starts wait as long for it.
    /// Zero = it does not. Default 60 s.
    /// </summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of output per session that may be under way, or here and not read. Default 256 KiB, at least 4 KiB.</summary>
    public int Window
    {
        get => _window;
        init => _window = value >= 4096 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 4096.");
    }

    /// <summary>The longest message taken from the server, in bytes. Default 16 MiB, at least 128 KiB.</summary>
    public int MaxMessage
    {
        get => _maxMessage;
        init => _maxMessage = value >= 128 * 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 131072.");
    }

    /// <summary>Told when the connection is lost, is back, or has ended; on any thread, must not wait. Null = nobody.</summary>
    public Action<LinkChange>? Changed { get; init; }

    /// <summary>The clock. Default the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    // Records print what they hold.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{nameof(Label)} = {Label}, {nameof(Token)} = {(Token is null ? "none" : "one")}");
        return true;
    }
}

/// <summary>A connection's change.</summary>
/// <param name="State">What it is now.</param>
/// <param name="Why">Why, in words; null where there is nothing to say.</param>
public readonly record struct LinkChange(LinkState State, string? Why);

/// <summary>What a client's connection is.</summary>
public enum LinkState
{
    /// <summary>It is open.</summary>
    Connected,

    /// <summary>It is lost, and is being opened again: what is asked for waits.</summary>
    Reconnecting,

    /// <summary>It has ended.</summary>
    Closed,
}
