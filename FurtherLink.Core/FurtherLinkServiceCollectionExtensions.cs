using System.Diagnostics.Metrics;
using FurtherLink;
using FurtherLink.Client;
using FurtherLink.Codecs.Further;
using FurtherLink.Device;
using FurtherLink.Peers;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Pairing;
using FurtherLink.Security.Passwords;
using FurtherLink.Security.Tokens;
using FurtherLink.Sessions;
using FurtherLink.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds FurtherLink to any generic host.</summary>
public static class FurtherLinkServiceCollectionExtensions
{
    /// <summary>
    /// Adds the core: <see cref="SessionTable"/>, <see cref="ILinkServer"/>, <see cref="FileStore"/> with its service, the native dialects, and
    /// a <see cref="FurtherLinkClient"/> within this process. Runners, transports and other dialects are added on the builder. Calling it again adds nothing twice.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The section with <see cref="LinkOptions"/>; null = defaults and what is configured in code.</param>
    public static LinkBuilder AddFurtherLink(this IServiceCollection services, IConfiguration? configuration = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<LinkOptions>().ValidateOnStart();
        if (configuration is not null)
            options.BindSettings(configuration, static (section, link) => section.Bind(link));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LinkOptions>, LinkOptionsValidation>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(static all => new Ledger(
            all.GetRequiredService<IOptions<LinkOptions>>().Value.LedgerDirectory, all.GetService<TimeProvider>(), all.GetService<ILogger<Ledger>>()));
        services.TryAddSingleton(static all => new LinkMetrics(all.GetService<IMeterFactory>()));
        services.TryAddSingleton(static all => new SessionTable(
            all.GetService<ISessionKeeper>(), all.GetRequiredService<LinkMetrics>(), all.GetRequiredService<IOptions<LinkOptions>>(), all.GetServices<IProcessRunner>(),
            all.GetServices<IRunnerSource>(), all.GetService<TimeProvider>(), all.GetService<ILoggerFactory>(), all.GetRequiredService<Ledger>(), all.GetRequiredService<AuditLog>()));
        services.TryAddSingleton<ILinkServer>(static all => new LinkServer(
            all.GetRequiredService<SessionTable>(), all.GetRequiredService<LinkMetrics>(), all.GetServices<LinkCodec>(), all.GetServices<IService>(),
            all.GetRequiredService<IOptions<LinkOptions>>(), all.GetService<TimeProvider>(), all.GetService<ILogger<LinkServer>>(), all.GetRequiredService<AuditLog>()));
        services.TryAddSingleton(static all => FurtherLinkClient.Create(new InProcessConnector(all.GetRequiredService<ILinkServer>())));
        services.TryAddSingleton(static all => new FileStore(
            all.GetRequiredService<IOptions<LinkOptions>>(), all.GetService<TimeProvider>(), all.GetService<ILogger<FileStore>>(), all.GetRequiredService<Ledger>()));
        services.TryAddSingleton(_ => new DebianPackages());
        var access = services.AddOptions<AccessOptions>().ValidateOnStart();
        if (configuration is not null)
            access.BindSettings(configuration, static (section, access) => section.Bind(access));
        AddAccess(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, AuthService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, PairingService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, UploadService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, DeviceService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IService, SessionService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SessionShutdown>());
        var builder = new LinkBuilder(services);
        if (services.All(service => service.ServiceType != typeof(LinkCodec)))
            builder.AddFurtherCodecs();
        return builder;
    }

    private static void AddAccess(IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AccessOptions>, AccessOptionsValidation>());
        services.TryAddSingleton(static all => new AuditLog(all.GetRequiredService<IOptions<AccessOptions>>(), all.GetService<TimeProvider>(), all.GetService<ILoggerFactory>()));
        services.TryAddSingleton(static all => new TokenStore(
            all.GetRequiredService<IOptions<AccessOptions>>(), all.GetService<TimeProvider>(), all.GetService<ILogger<TokenStore>>(), all.GetRequiredService<AuditLog>()));
        services.TryAddSingleton(static all => new PasswordStore(
            all.GetRequiredService<LoginLimiter>(), all.GetRequiredService<IOptions<AccessOptions>>(), all.GetRequiredService<TimeProvider>(), all.GetService<ILogger<PasswordStore>>()));
        services.TryAddSingleton(static all => new LoginLimiter(
            all.GetRequiredService<IOptions<AccessOptions>>().Value.LoginAttempts, all.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IAuthenticator>(static all => new Authenticator(
            all.GetRequiredService<TokenStore>(), all.GetRequiredService<PasswordStore>(), all.GetRequiredService<LoginLimiter>(), all.GetRequiredService<AuditLog>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPairingDisplay, PairingHook>());
        services.TryAddSingleton(static all => new PairingDesk(
            all.GetRequiredService<TokenStore>(), all.GetRequiredService<LoginLimiter>(), all.GetServices<IPairingDisplay>(),
            all.GetRequiredService<IOptions<AccessOptions>>(), all.GetRequiredService<TimeProvider>(), all.GetService<ILogger<PairingDesk>>(),
            all.GetRequiredService<AuditLog>()));
    }
}
