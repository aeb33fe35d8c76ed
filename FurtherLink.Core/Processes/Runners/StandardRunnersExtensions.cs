using FurtherLink;
using FurtherLink.Processes;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Profiles;
using FurtherLink.Processes.Runners;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the runners that come with FurtherLink.</summary>
public static class StandardRunnersExtensions
{
    /// <summary>
    /// Adds "exec", "python3", "shell" and "program", and the runners of <see cref="LinkOptions.Runners"/>; and <see cref="ProgramRunner"/> for runners of one's own. They run programs on Linux; elsewhere each
    /// start fails and says so.
    /// </summary>
    public static LinkBuilder AddStandardRunners(this LinkBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (OperatingSystem.IsLinux())
            AddLinux(builder.Services);
        else
            builder.Services.TryAddSingleton(provider => new ProcessLauncher(provider.GetRequiredService<IOptions<LinkOptions>>(), null, null));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ProfileStart>());
        builder.Services.TryAddSingleton(provider => new ProgramRunner(provider.GetRequiredService<ProcessLauncher>()));
        builder.Services.AddSingleton<IRunnerSource>(provider => new ConfiguredRunners(
            provider.GetRequiredService<IOptions<LinkOptions>>(), provider.GetRequiredService<ProcessLauncher>()));
        return builder
            .AddRunner(provider => new ExecRunner(provider.GetRequiredService<ProcessLauncher>()))
            .AddRunner(provider => new PythonRunner(
                provider.GetRequiredService<ProcessLauncher>(), provider.GetRequiredService<IOptions<LinkOptions>>()))
            .AddRunner(provider => new ShellRunner(provider.GetRequiredService<ProcessLauncher>()))
            .AddRunner(provider => provider.GetRequiredService<ProgramRunner>());
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static void AddLinux(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new ProcessLauncher(
            provider.GetRequiredService<IOptions<LinkOptions>>(), provider.GetRequiredService<ChildStarter>(),
            provider.GetRequiredService<PythonPackage>(), provider.GetService<Ledger>(), provider.GetRequiredService<GroupTree>()));
        services.TryAddSingleton(provider => new GroupTree(
            new GroupFiles(), System.Environment.ProcessId, static pid => ProcFs.Read(pid)?.Parent, provider.GetService<ILogger<GroupTree>>(), provider.GetService<Ledger>()));
        services.TryAddSingleton(provider => new PythonPackage(
            provider.GetRequiredService<IOptions<LinkOptions>>().Value.TempDirectory, provider.GetService<Ledger>()));
        services.TryAddSingleton(provider => new IoLoop(provider.GetService<ILogger<IoLoop>>()));
        services.TryAddSingleton(provider => new ChildStarter(
            provider.GetRequiredService<IoLoop>(), provider.GetRequiredService<IOptions<LinkOptions>>(),
            provider.GetService<TimeProvider>(), provider.GetService<ILogger<ChildStarter>>(), provider.GetService<Ledger>()));
    }
}
