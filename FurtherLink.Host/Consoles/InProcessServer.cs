using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;
using FurtherLink.Processes;
using FurtherLink.Security;

namespace FurtherLink.Host.Consoles;

/// <summary>A server within this process, for programs that run here and end with it.</summary>
internal static class InProcessServer
{
    /// <summary>Makes it; disposing it ends its programs.</summary>
    /// <param name="configuration">Settings, checked.</param>
    public static ServiceProvider Create(HostConfiguration configuration)
    {
        var options = ServeOptions.Read(configuration);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddFurtherLink(configuration.Root.GetSection(HostConfiguration.Section)).AddStandardRunners();
        services.PostConfigure<LinkOptions>(link =>
        {
            // Nothing outlives this process, so nothing is kept on disk.
            link.SpillCapacity = 0;
            HostPaths.MakeAbsolute(link, options);

            // As a shell does: whoever types the command runs the program.
            if (string.IsNullOrEmpty(link.DefaultUser) && UserAccount.TryFind(UserAccount.Current.Name) is not null)
                link.DefaultUser = UserAccount.Current.Name;
        });
        // Nobody is let in, and what a person types here is for no log.
        services.PostConfigure<AccessOptions>(static access => (access.TokenFile, access.PasswordFile, access.AuditFile) = (null, null, null));
        return services.BuildServiceProvider();
    }
}
