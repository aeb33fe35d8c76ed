using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Makes an action of work that waits for disks: off the caller's thread, which may be one that all connections wait on.</summary>
internal static class FileWork
{
    /// <summary>The action that does some work and sends the answer.</summary>
    /// <param name="name">The action's name; the answer is called the same, with "_response".</param>
    /// <param name="work">Gives the answer's fields.</param>
    public static KeyValuePair<string, ActionHandler> Action(string name, Func<PortacodeRequest, CancellationToken, JsonObject> work)
    {
        return new(name, DoAsync);

        async ValueTask DoAsync(PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
        {
            var fields = await FileWork.RunAsync(() => work(request, cancellationToken), cancellationToken).ConfigureAwait(false);
            await replies.SendAsync(new PortacodeEvent(name + "_response", fields)).ConfigureAwait(false);
        }
    }

    /// <summary>Does some work.</summary>
    /// <exception cref="LinkException">This is not Linux.</exception>
    public static Task<JsonObject> RunAsync(Func<JsonObject> work, CancellationToken cancellationToken) => OperatingSystem.IsLinux()
        ? Task.Run(work, cancellationToken)
        : throw new LinkException(FailureCode.NotSupported, "file actions need Linux");
}
