using FurtherLink.Host.Configuration;
using FurtherLink.Processes;
using FurtherLink.Security;

namespace FurtherLink.Host.Serving;

/// <summary>Composes the server of one client at the other end of standard input and output, and runs it until the input ends, or a signal ends it.</summary>
internal static class StdioHost
{
    // Everything must be over within 2 s of a signal, also where the client does not read.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(1.7);

    /// <summary>Runs it.</summary>
    /// <param name="configuration">Settings, checked.</param>
    /// <param name="cancellationToken">Ends it as a signal does.</param>
    /// <returns>Why standard output cannot be written, in words; null where it can, or nobody reads it any more.</returns>
    /// <exception cref="SettingException">A setting turns out wrong.</exception>
    public static async Task<string?> RunAsync(HostConfiguration configuration, CancellationToken cancellationToken)
    {
        var options = ServeOptions.Read(configuration);
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration.Root);
        HostLogging.Add(builder.Logging, configuration, options);
        // Whoever reads this beside the messages wants to hear of trouble alone.
        if (!options.Debug)
            builder.Logging.AddFilter("FurtherLink", LogLevel.Warning);
        await using var output = new CheckedOutput(StandardStreams.OpenOutput());
        builder.Services.AddFurtherLink(builder.Configuration.GetSection(HostConfiguration.Section)).AddStandardRunners()
            .AddStdio(stdio => stdio.Output = output);
        builder.Services.PostConfigure<LinkOptions>(link => HostPaths.MakeAbsolute(link, options));
        builder.Services.PostConfigure<AccessOptions>(access => HostPaths.Use(access, options, letsIn: false));
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownTimeout);
        using var host = builder.Build();
        try
        {
            await host.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The client did not read what was still to be said, within the time for it.
        }

        return output.Fault;
    }
}
