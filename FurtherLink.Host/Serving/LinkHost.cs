using System.Runtime.Versioning;
using FurtherLink.Host.Certificates;
using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;
using FurtherLink.Processes;
using FurtherLink.Security;
using FurtherLink.Sessions;
using FurtherLink.Transports.Portacode.Gateways;
using FurtherLink.Transports.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

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
        StartCheck.Run(options, () => KnownCredentials.Exist(options));
        if (options.LegacyOpen)
            await warnings.WriteLineAsync($"furtherlink: {StartCheck.Open}");
        using var sockets = ListenSockets.Bind(options.Addresses, options.Port);
        var tls = TlsServices.Find(options);
        using var certificate = tls?.Certificate;
        if (certificate?.Warning(TimeProvider.System) is { } warning)
            await warnings.WriteLineAsync(warning);

        using var running = options.Hold ? TakePlace(options, warnings) : null;
        using var socket = OperatingSystem.IsLinux() ? LocalHost.Listen(options, running is not null, warnings) : null;
        var app = Build(configuration, options, sockets, tls, running, socket);
        using var restart = new PlannedRestart(app.Services);
        await using (app)
        {
            var sessions = app.Services.GetRequiredService<SessionTable>();
            await sessions.RecoverAsync(cancellationToken);
            await app.StartAsync(cancellationToken);
            running?.Announce(sessions.Sessions.Count(), socket?.Path);
            try
            {
                StartMessage.Write(output, ProductVersion.Text, sockets, certificate, socket?.Path, app.Services.GetRequiredService<IOptions<WebSocketLinkOptions>>().Value);
            }
            catch (IOException e)
            {
                await warnings.WriteLineAsync($"furtherlink: the start message cannot be written: {e.Message}");
            }

            await app.WaitForShutdownAsync(cancellationToken);
        }

        restart.ReplaceIfAsked(running);
    }

    private static RunningServer? TakePlace(ServeOptions options, TextWriter warnings)
    {
        var running = RunningServer.TryTake(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable), out var why);
        if (running is null)
            warnings.WriteLine($"furtherlink: programs will not survive a restart of this server: {why}");
        return running;
    }

    /// <summary>Composes it.</summary>
    internal static WebApplication Build(
        HostConfiguration configuration, ServeOptions options, ListenSockets sockets, TlsServices? tls, RunningServer? running, SocketFile? socket)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration.Root);
        HostLogging.Add(builder.Logging, configuration, options);
        builder.Services.AddRoutingCore();
        var section = builder.Configuration.GetSection(HostConfiguration.Section);
        var link = builder.Services.AddFurtherLink(section).AddStandardRunners().AddWebSockets(section, endpoints =>
        {
            Replace(endpoints.AllowedHosts, options.AllowedHosts);
            Replace(endpoints.AllowedOrigins, options.AllowedOrigins);
            Replace(endpoints.TrustedOrigins, options.TrustedOrigins);
        });
        if (options.Portacode)
            AddPortacode(link, section, options);
        if (options.Bluetooth && OperatingSystem.IsLinux())
            AddBluetooth(link, section, options);
        if (running is not null)
            link.AddHolder(holder => running.Configure(holder, ServeCommand.Name));
        if (socket is not null && OperatingSystem.IsLinux())
            link.AddUnixSocket(socket);
        if (options.Metrics)
            MetricsEndpoint.Add(builder.Services);
        builder.Services.PostConfigure<LinkOptions>(link => HostPaths.MakeAbsolute(link, options));
        builder.Services.PostConfigure<AccessOptions>(access => HostPaths.Use(access, options, letsIn: true));
        tls?.Add(builder.Services);
        builder.Services.AddHostedService<WarmUp>();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, HotBlocks.Factory>();
        builder.WebHost.UseKestrelCore().UseSockets(transport =>
        {
            transport.CreateBoundListenSocket = sockets.Get;

            // From the socket to the message and back without a hop to the pool; what may block moves to the pool itself.
            transport.UnsafePreferInlineScheduling = true;

            // No queues are used then, but each would have a pool.
            transport.IOQueueCount = 1;

            // Some 3 KiB for each connection, and a call less for each 4 KiB that come in.
            transport.WaitForDataBeforeAllocatingBuffer = false;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.RequestHeadersTimeout = options.HeaderTimeout;
            foreach (var end in sockets.EndPoints)
                kestrel.Listen(end, listen => Secure(listen, kestrel.ApplicationServices.GetService<TlsListener>()));
        });

        var app = builder.Build();
        if (app.Services.GetService<ClientCertificates>() is { } clients)
            app.Use(clients.IdentifyAsync);
        app.UseFurtherLink();
        app.UseRouting();
        app.MapFurtherLink();
        if (options.Metrics)
            MetricsEndpoint.Map(app);
        if (options.Portacode)
            MapPortacode(app);
        return app;
    }

    private static void AddPortacode(LinkBuilder link, IConfigurationSection section, ServeOptions options)
    {
        StateDirectory.Prepare(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable));
        link.AddPortacode(section.GetSection("Portacode"), portacode =>
        {
            portacode.KeyDirectory = DeviceDirectory.Keys(options);

            // To dial is what "connect" does.
            portacode.GatewayUrl = null;
        });
    }

    [SupportedOSPlatform("linux")]
    private static void AddBluetooth(LinkBuilder link, IConfigurationSection section, ServeOptions options) =>
        link.AddGatt(section.GetSection("Bluetooth"), bluetooth => bluetooth.LegacyOpen |= options.LegacyOpen);

    private static void MapPortacode(WebApplication app)
    {
        try
        {
            app.MapPortacode();
        }
        catch (DeviceIdentityException e)
        {
            throw new SettingException($"Portacode:KeyDirectory: {e.Message}");
        }
    }

    // Lists of several sources would be mixed item by item; the strongest source alone counts.
    private static void Replace(IList<string> list, IReadOnlyList<string> items)
    {
        list.Clear();
        foreach (var item in items)
            list.Add(item);
    }

    private static void Secure(ListenOptions listen, TlsListener? tls)
    {
        listen.UseFurtherLinkLimit();

        // Browsers, and so their WebSockets (RFC 8441), speak HTTP/2 only over TLS.
        listen.Protocols = tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        tls?.Use(listen);
    }
}
