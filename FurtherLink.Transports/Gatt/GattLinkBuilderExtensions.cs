using System.Runtime.Versioning;
using FurtherLink;
using FurtherLink.Transports.Gatt;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the transport over Bluetooth LE to FurtherLink.</summary>
public static class GattLinkBuilderExtensions
{
    /// <summary>
    /// Offers the device's services by BlueZ while the host runs. Where Bluetooth is missing, off or taken away, the log says so once, everything else goes on,
    /// and it comes back by itself. Needs Linux with BlueZ 5.50 or later.
    /// </summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="configuration">The section with <see cref="GattOptions"/>; null = none.</param>
    /// <param name="configure">Sets options in code, after the configuration; null = nothing.</param>
    [SupportedOSPlatform("linux")]
    public static LinkBuilder AddGatt(this LinkBuilder builder, IConfiguration? configuration = null, Action<GattOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<GattOptions>().ValidateOnStart();
        if (configuration is not null)
            options.BindSettings(configuration, static (section, gatt) => section.Bind(gatt));
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GattOptions>, GattOptionsValidation>());
        builder.Services.TryAddSingleton<FurtherService>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, GattTransport>());
        return builder;
    }
}
