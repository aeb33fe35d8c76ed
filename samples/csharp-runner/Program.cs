using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Runners;
using Microsoft.Extensions.DependencyInjection;

// A runner of one's own: C# as a scripting language, by the file-based apps of the .NET SDK.
await using var services = new ServiceCollection()
    .AddFurtherLink().AddStandardRunners()
    .AddRunner(all => new CSharpRunner(all.GetRequiredService<ProgramRunner>()))
    .Services.BuildServiceProvider();
await using var client = services.GetRequiredService<FurtherLinkClient>();
await using var session = await client.StartAsync(new RunRequest("csharp")
{
    Code = """
        Console.WriteLine($"Hello, {args[0]}");
        Console.WriteLine(Console.ReadLine()!.ToUpperInvariant());
        return 3;
        """,
    Arguments = ["script"],
});
await session.WriteAsync("typed\n");
await session.Output.CopyToAsync(Console.OpenStandardOutput());
Console.WriteLine($"It ended with {(await session.Exited).Code}.");

/// <summary>"csharp": the request's code is put in a file, which "dotnet run" compiles and runs with the request's arguments.</summary>
internal sealed class CSharpRunner(ProgramRunner programs) : IProcessRunner
{
    public string Name => "csharp";

    public async ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken)
    {
        if (request.Code is not { } code)
            throw new LinkException(FailureCode.BadValue, "csharp needs code");
        var folder = Directory.CreateTempSubdirectory("csharp-").FullName;
        try
        {
            var file = Path.Combine(folder, "script.cs");
            await File.WriteAllTextAsync(file, code, cancellationToken);

            // The process itself is started by the runner of command lines.
            var command = request with { Code = null, Path = folder, Arguments = ["dotnet", "run", file, "--", .. request.Arguments] };
            return new Script(await programs.StartAsync(command, context, cancellationToken), folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>The process, and the folder that goes with it.</summary>
    private sealed class Script(IProcess process, string folder) : IProcess
    {
        public int Id => process.Id;

        public string WorkingDirectory => process.WorkingDirectory;

        public System.IO.Pipelines.PipeWriter Input => process.Input;

        public Task<ExitStatus> Exited => process.Exited;

        public bool HasDescendants => process.HasDescendants;

        public bool TryResize(TerminalSize size) => process.TryResize(size);

        public void Signal(int number) => process.Signal(number);

        public async ValueTask DisposeAsync()
        {
            await process.DisposeAsync();
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
