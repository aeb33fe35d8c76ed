using FurtherLink;
using FurtherLink.Peers;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Security.Auditing;
using FurtherLink.Sessions;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Codec;
using FurtherLink.Transports.Portacode.Diffs;
using FurtherLink.Transports.Portacode.Files;
using FurtherLink.Transports.Portacode.Gateways;
using FurtherLink.Transports.Portacode.Terminals;
using FurtherLink.Transports.Portacode.Transfers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes this device one that Portacode gateways know how to use.</summary>
public static class PortacodeBuilderExtensions
{
    /// <summary>
    /// Adds the dialect and its actions; the device's key, <see cref="DeviceIdentity"/>; and what dials the gateway of the settings where they name
    /// one, as a hosted service whose doings <see cref="GatewayStatus"/> tells. Gateways that dial in are let in by MapPortacode.
    /// </summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="configuration">The section with <see cref="PortacodeOptions"/>; null = none.</param>
    /// <param name="configure">Sets options in code, after the configuration; null = nothing.</param>
    public static LinkBuilder AddPortacode(this LinkBuilder builder, IConfiguration? configuration = null, Action<PortacodeOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<PortacodeOptions>().ValidateOnStart();
        if (configuration is not null)
            options.BindSettings(configuration, static (section, portacode) => section.Bind(portacode));
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PortacodeOptions>, PortacodeOptionsValidation>());
        builder.Services.TryAddSingleton(static all => OpenIdentity(all.GetRequiredService<IOptions<PortacodeOptions>>().Value));
        builder.Services.TryAddSingleton<GatewayStatus>();
        builder.Services.TryAddSingleton<GatewayServer>();
        // What MapPortacode needs.
        builder.AddWebSockets();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, GatewayConnector>(static all => new GatewayConnector(
            new Lazy<DeviceIdentity>(all.GetRequiredService<DeviceIdentity>), all.GetRequiredService<GatewayServer>(), all.GetRequiredService<GatewayStatus>(),
            all.GetRequiredService<IOptions<PortacodeOptions>>(), all.GetRequiredService<TimeProvider>(), all.GetRequiredService<ILogger<GatewayConnector>>())));
        builder.Services.TryAddSingleton<TerminalActions>();
        builder.Services.TryAddSingleton(static all => new ExecAction(all.GetRequiredService<SessionTable>(), all.GetRequiredService<TimeProvider>()));
        AddFiles(builder.Services);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, SystemActions>());
        builder.Services.TryAddSingleton(static all => new ChangeAudit(all.GetRequiredService<AuditLog>()));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, PortacodeService>());
        return builder.AddCodec(PortacodeCodec.Name, static connection => new PortacodeCodec(connection));
    }

    private static void AddFiles(IServiceCollection services)
    {
        services.TryAddSingleton<ContentStore>();
        services.TryAddSingleton(static all => new DevicePaths(
            all.GetRequiredService<IOptions<PortacodeOptions>>().Value.FileRoot, all.GetRequiredService<Ledger>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, FileActions>(static all =>
            new FileActions(all.GetRequiredService<DevicePaths>(), all.GetRequiredService<IOptions<PortacodeOptions>>().Value, all.GetRequiredService<ContentStore>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, DirectoryActions>(static all => new DirectoryActions(all.GetRequiredService<DevicePaths>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, SearchActions>(static all =>
            new SearchActions(all.GetRequiredService<DevicePaths>(), all.GetRequiredService<TimeProvider>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, DiffActions>(static all => new DiffActions(all.GetRequiredService<DevicePaths>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, ContentActions>(static all => new ContentActions(
            all.GetRequiredService<DevicePaths>(), all.GetRequiredService<ContentStore>(), all.GetRequiredService<IOptions<PortacodeOptions>>().Value.Transfers,
            all.GetRequiredService<TimeProvider>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActions, TransferActions>(static all => new TransferActions(
            all.GetRequiredService<DevicePaths>(), all.GetRequiredService<IOptions<PortacodeOptions>>().Value.Transfers, all.GetRequiredService<TimeProvider>())));
    }

    private static DeviceIdentity OpenIdentity(PortacodeOptions options) => options.KeyDirectory.Length > 0
        ? DeviceIdentity.Open(options.KeyDirectory)
        : throw new InvalidOperationException($"{nameof(PortacodeOptions)}.{nameof(PortacodeOptions.KeyDirectory)} must say where the device's key is, or is to be made.");
}
