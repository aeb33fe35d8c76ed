using FurtherLink.Holding;
using FurtherLink.Peers;
using FurtherLink.Sessions;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Lets programs go on while the server that started them is replaced, or has crashed.</summary>
public static class HoldingBuilderExtensions
{
    /// <summary>
    /// Gives sessions that are to be kept or to pause when nobody is attached to a process of their own, the holder, which is started when the
    /// first one comes; after a restart <see cref="SessionTable.RecoverAsync"/> takes them back.
    /// </summary>
    /// <param name="builder">The server's builder.</param>
    /// <param name="configure">Says where the holder is and how it is started.</param>
    public static FurtherLink.LinkBuilder AddHolder(this FurtherLink.LinkBuilder builder, Action<HolderOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Configure(configure);
        builder.Services.TryAddSingleton<ISessionKeeper, HolderClient>();
        return builder;
    }

    /// <summary>Makes this process the holder: it serves the socket, and stops the application when it holds nothing any more.</summary>
    /// <param name="builder">The holder's builder, with the runners of the server's.</param>
    /// <param name="configure">Says where the socket is.</param>
    public static FurtherLink.LinkBuilder BeHolder(this FurtherLink.LinkBuilder builder, Action<HolderOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Configure(configure);
        builder.AddCodec(HeldCodec.Name, static _ => new HeldCodec());
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, HoldService>());
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, Holder>());
        return builder;
    }
}
