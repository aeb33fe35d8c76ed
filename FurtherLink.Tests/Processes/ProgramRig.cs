using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Tests.Processes.ControlGroups;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Processes;

/// <summary>The runners as a host has them, over real processes, with a directory of their own.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ProgramRig : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<Program> _programs = [];

    /// <summary>Makes it.</summary>
    /// <param name="configure">Changes its settings.</param>
    /// <param name="groups">The control groups that its programs get; null = none, whatever this machine has.</param>
    public ProgramRig(Action<LinkOptions>? configure = null, IGroupFiles? groups = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("fl-test-").FullName;
        // Other users' programs run below it, too.
        File.SetUnixFileMode(Directory, File.GetUnixFileMode(Directory) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Options = new LinkOptions { WorkDirectory = Path.Combine(Directory, "work"), TempDirectory = Path.Combine(Directory, "temp") };
        configure?.Invoke(Options);
        var services = new ServiceCollection().AddSingleton(Microsoft.Extensions.Options.Options.Create(Options));
        services.AddSingleton(new GroupTree(groups ?? new FakeGroupFiles { OwnGroup = "" }, Environment.ProcessId, static _ => null));
        new LinkBuilder(services).AddStandardRunners();
        _services = services.BuildServiceProvider();
    }

    public LinkOptions Options { get; }

    public string Directory { get; }

    public string Temp => Options.TempDirectory;

    public string Work => Options.WorkDirectory!;

    public UserAccount User { get; set; } = UserAccount.Current;

    public IProcessRunner Runner(string name) => _services.GetServices<IProcessRunner>()
        .Concat(_services.GetServices<IRunnerSource>().SelectMany(source => source.Runners))
        .Single(runner => runner.Name == name);

    /// <summary>Starts a program whose output is collected.</summary>
    public async Task<Program> StartAsync(RunRequest request, bool collect = true)
    {
        // Where nobody collects, the first byte is enough to fill the sink.
        var program = new Program(collect ? 64 * 1024 : 1);
        var context = new ProcessContext(Guid.NewGuid().ToString("N"), program.Out.Writer, program.Error.Writer) { User = User };
        program.Process = await Runner(request.Runner).StartAsync(request, context, TestContext.CurrentContext.CancellationToken);
        program.SessionId = context.SessionId;
        if (collect)
            program.Collect();
        lock (_programs)
            _programs.Add(program);
        return program;
    }

    /// <summary>Starts a bash script, over pipes.</summary>
    public Task<Program> BashAsync(string script, TerminalSize? terminal = null, bool collect = true) =>
        StartAsync(new RunRequest("exec") { Code = "#!/bin/bash\n" + script, Terminal = terminal }, collect);

    /// <summary>Starts Python code.</summary>
    public Task<Program> PythonAsync(string code, TerminalSize? terminal = null, bool collect = true) =>
        StartAsync(new RunRequest("python3") { Code = code, Terminal = terminal }, collect);

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _programs)
            await program.DisposeAsync();
        await _services.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
