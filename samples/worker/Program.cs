using FurtherLink.Client;
using FurtherLink.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// Programs run by a background service, without any network: the client it is given talks to the server in the same process.
var builder = Host.CreateApplicationBuilder(args);
builder.Logging.ClearProviders();
builder.Services.AddFurtherLink().AddStandardRunners();
builder.Services.AddHostedService<Watchman>();
builder.Build().Run();

/// <summary>Starts a program that measures, and ends it when what it measures gets too much.</summary>
internal sealed class Watchman(FurtherLinkClient client, IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int TooHot = 60;

    // It stands for whatever a device has to tell.
    private const string Sensor = """
        import itertools, time
        for degrees in itertools.count(50, 5):
            print(degrees, flush=True)
            time.sleep(0.05)
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var session = await client.StartAsync(new RunRequest("python3") { Code = Sensor }, stoppingToken);
        using var output = new StreamReader(session.Output.AsStream());
        while (await output.ReadLineAsync(stoppingToken) is { } line)
        {
            Console.WriteLine($"{line} degrees");
            if (int.Parse(line) < TooHot)
                continue;
            var status = await session.StopAsync(stoppingToken);
            Console.WriteLine($"Too hot: the program was ended by signal {status.Signal}.");
            break;
        }

        lifetime.StopApplication();
    }
}
