using System.Reflection;
using FurtherLink.Host.Configuration;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using FurtherLink.Transports.Portacode;

namespace FurtherLink.Host.Serving;

/// <summary>Composes the process that holds sessions: runners and sessions as the server has them, and no network.</summary>
internal static class HoldHost
{
    /// <summary>Runs it until it holds nothing any more, or a signal ends it with all it holds.</summary>
    /// <param name="configuration">Settings, checked.</param>
    /// <param name="isDevices">Whether it holds for a device behind a gateway; false = for a server.</param>
    /// <param name="cancellationToken">Ends it as a signal does.</param>
    public static async Task RunAsync(HostConfiguration configuration, bool isDevices, CancellationToken cancellationToken)
    {
        var options = ServeOptions.Read(configuration);
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration.Root);
        HostLogging.Add(builder.Logging, configuration, options);
        // Its log is a file that nobody turns over: what is worth a line there is trouble.
        if (!options.Debug)
            builder.Logging.AddFilter("FurtherLink", LogLevel.Warning);
        var section = builder.Configuration.GetSection(HostConfiguration.Section);
        builder.Services.AddFurtherLink(section).AddStandardRunners()
            .BeHolder(holder => holder.Socket = HoldFiles.Socket(
                isDevices ? DeviceDirectory.Locate(options) : StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable)));
        // What the server lets its clients do is told by the server.
        builder.Logging.AddFilter(AuditLog.Category, LogLevel.None);
        builder.Services.PostConfigure<AccessOptions>(static access => (access.TokenFile, access.PasswordFile, access.AuditFile) = (null, null, null));
        builder.Services.PostConfigure<LinkOptions>(link =>
        {
            HostPaths.MakeAbsolute(link, options);
            // The server judges who is slow; the holder waits for the server as long as it takes.
            link.ClientStallTimeout = Timeout.InfiniteTimeSpan;

            // What a gateway may type at once comes here in one message.
            link.MaxMessage = Math.Max(link.MaxMessage, options.GatewayMaxMessage ?? new PortacodeOptions().MaxMessage);
        });
        using var host = builder.Build();
        // The files of this program may be replaced while it runs: what it may need later is loaded now.
        LoadAll();
        await host.RunAsync(cancellationToken);
    }

    private static void LoadAll()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<Assembly>([typeof(HoldHost).Assembly]);
        while (waiting.TryPop(out var assembly))
        {
            foreach (var name in assembly.GetReferencedAssemblies())
            {
                if (seen.Add(name.FullName) && File.Exists(Path.Combine(AppContext.BaseDirectory, name.Name + ".dll")))
                    waiting.Push(Assembly.Load(name));
            }
        }
    }
}
