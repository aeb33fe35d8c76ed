using FurtherLink;
using FurtherLink.Peers;
using FurtherLink.Sessions;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Codec;
using FurtherLink.Transports.Portacode.Terminals;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes this device one that Portacode gateways know how to use.</summary>
public static class PortacodeBuilderExtensions
{
    /// <summary>Adds the dialect and its actions.</summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="configuration">The section with <see cref="PortacodeOptions"/>; null = none.</param>
    /// <param name="configure">Sets options in code, after the configuration; null = nothing.</param>
    public static LinkBuilder AddPortacode(this LinkBuilder builder, IConfiguration? configuration = null, Action<PortacodeOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<PortacodeOptions>();
        if (configuration is not null)
            options.Bind(configuration);
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddSingleton<TerminalActions>();
        builder.Services.TryAddSingleton(static all => new ExecAction(all.GetRequiredService<SessionTable>(), all.GetService<TimeProvider>() ?? TimeProvider.System));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, PortacodeService>());
        return builder.AddCodec(PortacodeCodec.Name, static connection => new PortacodeCodec(connection));
    }
}
