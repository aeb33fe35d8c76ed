using System.Runtime.Versioning;
using FurtherLink;
using FurtherLink.Processes;
using FurtherLink.Security;
using FurtherLink.Transports.Stdio;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the transports over lines to FurtherLink.</summary>
public static class StdioLinkBuilderExtensions
{
    /// <summary>
    /// Serves standard input and output while the host runs, and stops the application when the input has ended. Nothing else may write to standard
    /// output then: console loggers are to log to standard error.
    /// </summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="configure">Sets options; null = nothing.</param>
    public static LinkBuilder AddStdio(this LinkBuilder builder, Action<StdioOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<StdioOptions>();
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StdioTransport>());
        return builder;
    }

    /// <summary>
    /// Serves a Unix domain socket while the host runs, to this process's user and root, and where this process is root, to others as themselves. What a server that has died left at the path is replaced;
    /// where another server listens, the host does not start. To be called once for each path.
    /// </summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="path">Where, at most <see cref="SocketFile.LongestPath"/> bytes; its directory must exist.</param>
    [SupportedOSPlatform("linux")]
    public static LinkBuilder AddUnixSocket(this LinkBuilder builder, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Add(builder, () => SocketFile.Listen(path));
    }

    /// <summary>As the other, with a socket that listens already.</summary>
    /// <param name="builder">What AddFurtherLink returned.</param>
    /// <param name="socket">The socket, which is disposed with the host.</param>
    [SupportedOSPlatform("linux")]
    public static LinkBuilder AddUnixSocket(this LinkBuilder builder, SocketFile socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return Add(builder, () => socket);
    }

    [SupportedOSPlatform("linux")]
    private static LinkBuilder Add(LinkBuilder builder, Func<SocketFile> listen)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<IHostedService>(all => new UnixSocketListener(
            listen, all.GetRequiredService<ILinkServer>(), all.GetRequiredService<IAuthenticator>(), all.GetServices<LinkCodec>(), all.GetRequiredService<IOptions<LinkOptions>>(),
            all.GetRequiredService<TimeProvider>(), all.GetRequiredService<ILogger<UnixSocketListener>>()));
        return builder;
    }
}
