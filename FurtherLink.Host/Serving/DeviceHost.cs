using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;
using FurtherLink.Security;
using FurtherLink.Sessions;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Host.Serving;

/// <summary>Composes the device behind a gateway, which has no port, and runs it until a signal ends it or the gateway rejects its key.</summary>
internal static class DeviceHost
{
    // All is over within 2 s of a signal, also where the gateway does not listen: programs end, it is told for a second at most, then it is cut.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(1.3);

    /// <summary>Runs it.</summary>
    /// <param name="configuration">Settings, checked.</param>
    /// <param name="output">Where the start message goes.</param>
    /// <param name="warnings">Where warnings go.</param>
    /// <param name="cancellationToken">Ends it as a signal does.</param>
    /// <returns>Whether the gateway has rejected the key, and nothing more is tried.</returns>
    /// <exception cref="SettingException">A setting turns out wrong.</exception>
    public static async Task<bool> RunAsync(HostConfiguration configuration, TextWriter output, TextWriter warnings, CancellationToken cancellationToken)
    {
        var options = ServeOptions.Read(configuration);
        using var running = TakePlace(options, warnings);
        var host = Build(configuration, options, running);
        using var restart = new PlannedRestart(host.Services);
        var status = host.Services.GetRequiredService<GatewayStatus>();
        using (host)
        {
            var identity = Open(host.Services);
            var sessions = host.Services.GetRequiredService<SessionTable>();
            await sessions.RecoverAsync(cancellationToken);
            await host.StartAsync(cancellationToken);
            running?.Announce(sessions.Sessions.Count());
            var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            await TellAsync(output, warnings, options.Gateway!, identity, status, stopping);
            var shutdown = host.WaitForShutdownAsync(cancellationToken);
            if (await Task.WhenAny(status.WaitAsync(static now => now.IsLast, stopping), shutdown) != shutdown && !stopping.IsCancellationRequested)
                host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            await shutdown;
        }

        restart.ReplaceIfAsked(running);
        return status.Current.IsLast;
    }

    private static RunningServer? TakePlace(ServeOptions options, TextWriter warnings)
    {
        var folder = DeviceDirectory.Locate(options);
        DeviceDirectory.PrepareParents(options);
        if (RunningServer.TryTake(folder, out var why) is { } running)
            return running;
        if (RunningServer.Find(folder) is { } other)
            throw new SettingException($"Portacode:GatewayUrl: process {other.Pid} is the device with this key behind this gateway already; stop it first, or say another key with --key-dir.");
        warnings.WriteLine($"furtherlink: programs will not survive a restart of this device: {why}");
        return null;
    }

    private static IHost Build(HostConfiguration configuration, ServeOptions options, RunningServer? running)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration.Root);
        HostLogging.Add(builder.Logging, configuration, options);
        var section = builder.Configuration.GetSection(HostConfiguration.Section);
        var link = builder.Services.AddFurtherLink(section).AddStandardRunners()
            .AddPortacode(section.GetSection("Portacode"), portacode => portacode.KeyDirectory = DeviceDirectory.Keys(options));
        if (running is not null && options.Hold)
            link.AddHolder(holder => running.Configure(holder, ConnectCommand.Name));
        builder.Services.PostConfigure<LinkOptions>(link => HostPaths.MakeAbsolute(link, options));
        builder.Services.PostConfigure<AccessOptions>(access => HostPaths.Use(access, options, letsIn: false));
        builder.Services.AddHostedService<WarmUp>();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownTimeout);
        return builder.Build();
    }

    private static DeviceIdentity Open(IServiceProvider services)
    {
        try
        {
            return services.GetRequiredService<DeviceIdentity>();
        }
        catch (DeviceIdentityException e)
        {
            throw new SettingException($"Portacode:KeyDirectory: {e.Message}");
        }
    }

    private static async Task TellAsync(
        TextWriter output, TextWriter warnings, Uri gateway, DeviceIdentity identity, GatewayStatus status, CancellationToken stopping)
    {
        try
        {
            DeviceMessage.WriteIdentity(output, ProductVersion.Text, gateway, identity);

            // The handshake's limits are this one's too.
            DeviceMessage.WriteState(output, await status.WaitAsync(static report => report.State is not GatewayState.Waiting || report.Why.Length > 0, stopping));
        }
        catch (OperationCanceledException)
        {
            // It stops before it is known.
        }
        catch (IOException e)
        {
            await warnings.WriteLineAsync($"furtherlink: the start message cannot be written: {e.Message}");
        }
    }
}
