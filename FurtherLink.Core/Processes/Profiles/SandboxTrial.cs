using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes.Children;

namespace FurtherLink.Processes.Profiles;

/// <summary>Finds out, before the first program is to run apart, whether this device can do that: it may let only root make namespaces. Thread safe.</summary>
/// <param name="starter">Starts the trial.</param>
/// <param name="trial">A program that ends with 0 where it can be done, see <see cref="Confinement.Trial"/>.</param>
[SupportedOSPlatform("linux")]
internal sealed class SandboxTrial(ChildStarter starter, Func<UserAccount, RunProfile, SpawnRequest> trial)
{
    private const int LongestReason = 300;

    private readonly ConcurrentDictionary<(uint Uid, bool Network), bool> _working = new();

    /// <summary>Makes sure of it; where it works for a user once, it is not tried again.</summary>
    /// <exception cref="LinkException">It does not work; the message says why.</exception>
    public async ValueTask EnsureAsync(UserAccount user, RunProfile profile, CancellationToken cancellationToken)
    {
        if (_working.ContainsKey((user.Uid, profile.Network)))
            return;
        var output = new Pipe();
        var error = new Pipe();
        var options = new ChildOptions { SessionId = "sandbox-trial", Out = output.Writer, Error = error.Writer };
        var program = await starter.StartAsync(trial(user, profile), options, cancellationToken).ConfigureAwait(false);
        await using (program.ConfigureAwait(false))
        {
            var status = await program.Exited.ConfigureAwait(false);
            if (status.Code != 0)
            {
                await error.Writer.CompleteAsync().ConfigureAwait(false);
                var said = await error.Reader.ReadAtLeastAsync(LongestReason, CancellationToken.None).ConfigureAwait(false);
                var reason = Encoding.UTF8.GetString(said.Buffer.Slice(0, Math.Min(said.Buffer.Length, LongestReason)).ToArray()).Trim();
                throw new LinkException(
                    FailureCode.Failed, $"programs of this runner are to run apart, which this device does not let \"{user.Name}\" do: {reason}; it may need kernel.unprivileged_userns_clone=1 (sysctl)");
            }
        }

        _working.TryAdd((user.Uid, profile.Network), true);
    }
}
