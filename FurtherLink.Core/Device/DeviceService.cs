using FurtherLink.Messages;
using FurtherLink.Peers;
using Microsoft.Extensions.Options;

namespace FurtherLink.Device;

/// <summary>The calls of "device": "device.hello", its body a <see cref="Hello"/>, its result a <see cref="HelloAnswer"/>.</summary>
/// <param name="options">The core's settings.</param>
internal sealed class DeviceService(IOptions<LinkOptions> options) : IService
{
    /// <inheritdoc/>
    public string Name => "device";

    /// <inheritdoc/>
    public Access Needs(Call call) => Access.View;

    /// <inheritdoc/>
    public ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        if (call is not { Name: "device.hello", Body: Hello hello })
            throw new LinkException(FailureCode.NotSupported, $"there is no call {call.Name}");
        if (hello.Label is { } label)
            peer.Rename(label);
        return new ValueTask<object?>(new HelloAnswer(
            FurtherLinkVersion.Current, options.Value.InputCapacity, peer.MaxMessage ?? options.Value.MaxMessage));
    }
}
