namespace FurtherLink.Messages;

/// <summary>The body of the call "pairing.pair": a client exchanges the code that the device shows for a token.</summary>
/// <param name="Code">The code ("1234-5678-9012").</param>
/// <param name="Name">What the token is to be called.</param>
public sealed record PairRequest(string Code, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => $"a code for {Name}";
}

/// <summary>The result of "pairing.pair".</summary>
/// <param name="Token">What lets the client in from now on. Said this one time.</param>
/// <param name="Name">What the token is called.</param>
/// <param name="Access">What it allows.</param>
public sealed record PairAnswer(string Token, string Name, Access Access)
{
    /// <inheritdoc/>
    public override string ToString() => $"a token named {Name}";
}

/// <summary>The result of "pairing.open".</summary>
/// <param name="Code">What a client has to say.</param>
/// <param name="Ends">When it counts no more.</param>
public sealed record PairingOpened(string Code, DateTimeOffset Ends)
{
    /// <inheritdoc/>
    public override string ToString() => "a code";
}

/// <summary>The result of "pairing.wait".</summary>
/// <param name="Outcome">How it has ended: "paired", "timedOut", "closed" or "failed".</param>
/// <param name="Name">The name of the token that was given out; null = none.</param>
public sealed record PairingOver(string Outcome, string? Name);
