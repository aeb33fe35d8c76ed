using FurtherLink.Host.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FurtherLink.Host.Serving;

/// <summary>Composes the server from its parts and runs it until a signal ends it.</summary>
internal static class LinkHost
{
    // Everything must be over within 2 s of a signal: programs get TERM and KILL, clients their last messages; then what is left is cut.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(1.7);

    /// <summary>Runs it.</summary>
    /// <param name="configuration">Settings, checked.</param>
    /// <param name="output">Where the start message goes.</param>
    /// <param name="warnings">Where warnings go.</param>
    /// <param name="cancellationToken">Ends it as a signal does.</param>
    /// <exception cref="SettingException">A setting turns out wrong.</exception>
    public static async Task RunAsync(HostConfiguration configuration, TextWriter output, TextWriter warnings, CancellationToken cancellationToken)
    {
        var options = ServeOptions.Read(configuration);
        using var sockets = ListenSockets.Bind(options.Addresses, options.Port);
        using var certificate = options.NoTls ? null : ServerCertificate.Find(options, TimeProvider.System);
        if (certificate?.Warning(TimeProvider.System) is { } warning)
            await warnings.WriteLineAsync(warning);

        await using var app = Build(configuration, options, sockets, certificate);
        await app.StartAsync(cancellationToken);
        try
        {
            StartMessage.Write(output, ProductVersion.Text, sockets, certificate);
        }
        catch (IOException e)
        {
            await warnings.WriteLineAsync($"furtherlink: the start message cannot be written: {e.Message}");
        }

        await app.WaitForShutdownAsync(cancellationToken);
    }

    private static WebApplication Build(HostConfiguration configuration, ServeOptions options, ListenSockets sockets, ServerCertificate? certificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration.Root);
        AddLogging(builder.Logging, configuration, options);
        builder.Services.AddRoutingCore();
        var section = builder.Configuration.GetSection(HostConfiguration.Section);
        builder.Services.AddFurtherLink(section).AddStandardRunners().AddWebSockets(section, endpoints => Replace(endpoints.TrustedOrigins, options.TrustedOrigins));
        builder.Services.PostConfigure<LinkOptions>(link => MakeAbsolute(link, options));
        builder.Services.AddHostedService<WarmUp>();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownTimeout);
        builder.WebHost.UseKestrelCore().UseSockets(transport =>
        {
            transport.CreateBoundListenSocket = sockets.Get;

            // From the socket to the message and back without a hop to the pool; what may block moves to the pool itself.
            transport.UnsafePreferInlineScheduling = true;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var end in sockets.EndPoints)
                kestrel.Listen(end, listen => Secure(listen, certificate));
        });

        var app = builder.Build();
        app.UseFurtherLink();
        app.UseRouting();
        app.MapFurtherLink();
        return app;
    }

    // Lists of several sources would be mixed item by item; the strongest source alone counts.
    private static void Replace(IList<string> list, IReadOnlyList<string> items)
    {
        list.Clear();
        foreach (var item in items)
            list.Add(item);
    }

    // Programs have working directories of their own: what is relative is so to the host's.
    private static void MakeAbsolute(LinkOptions link, ServeOptions options)
    {
        link.WorkDirectory = Absolute(link.WorkDirectory);
        link.TempDirectory = Absolute(link.TempDirectory) ?? "/tmp";
        link.MiniscreenProjectsDirectory = Absolute(link.MiniscreenProjectsDirectory);
        link.PythonVenv = Absolute(link.PythonVenv);
        link.SpillDirectory = Absolute(link.SpillDirectory);
        if (link is { SpillCapacity: > 0, SpillDirectory: null })
        {
            var state = StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable);
            StateDirectory.Prepare(state);
            link.SpillDirectory = Path.Combine(state, "output");
        }

        static string? Absolute(string? path) => string.IsNullOrEmpty(path) ? null : Path.GetFullPath(path);
    }

    private static void Secure(ListenOptions listen, ServerCertificate? certificate)
    {
        listen.Protocols = HttpProtocols.Http1;
        if (certificate is not null)
            listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate.Certificate, ServerCertificateChain = certificate.Chain });
    }

    private static void AddLogging(ILoggingBuilder logging, HostConfiguration configuration, ServeOptions options)
    {
        logging.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddConfiguration(configuration.Root.GetSection("Logging"));
        if (options.Debug)
            logging.AddFilter("FurtherLink", LogLevel.Debug);
    }
}
