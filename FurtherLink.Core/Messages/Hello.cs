namespace FurtherLink.Messages;

/// <summary>The body of the call "device.hello": a client introduces itself, and asks whom it talks to.</summary>
/// <param name="Label">What others see it called from now on; null = as before.</param>
public sealed record Hello(string? Label)
{
    /// <summary>Names of protocol extensions that it understands; a dialect's own matter. Default none.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = [];
}

/// <summary>The answer to <see cref="Hello"/>.</summary>
/// <param name="Version">The server's, see <see cref="FurtherLinkVersion"/>.</param>
/// <param name="InputCapacity">Bytes of input that may wait for a program, see <see cref="LinkOptions.InputCapacity"/>.</param>
/// <param name="MaxMessage">The longest message that this client may send, in bytes.</param>
public sealed record HelloAnswer(string Version, int InputCapacity, int MaxMessage)
{
    /// <summary>Names of protocol extensions that the server's dialect knows, where a client has read it. Default none.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = [];
}
