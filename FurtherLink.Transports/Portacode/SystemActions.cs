using System.Collections.Frozen;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Processes;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Portacode;

/// <summary>"system_info": what the device is and how busy it is.</summary>
/// <param name="options">Whose home is told.</param>
/// <param name="time">The clock.</param>
internal sealed class SystemActions(IOptions<LinkOptions> options, TimeProvider time) : IActions
{
    /// <inheritdoc/>
    public FrozenDictionary<string, ActionHandler> Handlers => field ??= new Dictionary<string, ActionHandler>(StringComparer.Ordinal)
    {
        ["system_info"] = async (_, replies, cancellationToken) =>
            await replies.SendAsync(new PortacodeEvent("system_info", new JsonObject
            {
                ["info"] = Info(await SystemInfo.ReadAsync(User(), time, cancellationToken).ConfigureAwait(false)),
            })).ConfigureAwait(false),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The device as gateways are told of it.</summary>
    public static JsonObject Info(SystemInfo system) => new()
    {
        ["cpu_percent"] = system.CpuPercent,
        ["memory"] = new JsonObject
        {
            ["total"] = system.Memory.Total,
            ["available"] = system.Memory.Available,
            ["percent"] = system.Memory.Percent,
            ["used"] = system.Memory.Used,
            ["free"] = system.Memory.Free,
            ["active"] = system.Memory.Active,
            ["inactive"] = system.Memory.Inactive,
            ["buffers"] = system.Memory.Buffers,
            ["cached"] = system.Memory.Cached,
            ["shared"] = system.Memory.Shared,
            ["slab"] = system.Memory.Slab,
        },
        ["disk"] = new JsonObject
        {
            ["total"] = system.Disk.Total,
            ["used"] = system.Disk.Used,
            ["free"] = system.Disk.Free,
            ["percent"] = system.Disk.Percent,
        },
        ["os_info"] = new JsonObject
        {
            ["os_type"] = system.Description.Type,
            ["os_version"] = system.Description.Version,
            ["architecture"] = system.Description.Architecture,
            ["default_shell"] = system.Description.Shell,
            ["default_cwd"] = system.Description.Home,
        },
    };

    private UserAccount User()
    {
        try
        {
            return OperatingSystem.IsLinux() ? UserAccount.FindDefault(options.Value.DefaultUser) : UserAccount.Current;
        }
        catch (LinkException)
        {
            // The setting names a user that is not there: starts say so.
            return UserAccount.Current;
        }
    }
}
