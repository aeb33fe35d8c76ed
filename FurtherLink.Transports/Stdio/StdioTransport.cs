using FurtherLink.Framing;
using FurtherLink.Processes;
using FurtherLink.Security;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Stdio;

/// <summary>Serves the one client at the other end of this process's standard input and output.</summary>
internal sealed class StdioTransport(
    ILinkServer server, IOptions<LinkOptions> link, IOptions<StdioOptions> options, IHostApplicationLifetime lifetime, ILogger<StdioTransport> logger)
    : BackgroundService
{
    private const string Name = "stdio";

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // An input that ends at once would otherwise stop an application that is still being started.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (lifetime.ApplicationStarted.UnsafeRegister(static started => ((TaskCompletionSource)started!).TrySetResult(), started))
            await started.Task.WaitAsync(stoppingToken).ConfigureAwait(false);

        var settings = options.Value;
        var ownInput = settings.Input is null ? StandardStreams.OpenInput() : null;
        var ownOutput = settings.Output is null ? StandardStreams.OpenOutput() : null;
        try
        {
            await ServeAsync(settings.Input ?? ownInput!, settings.Output ?? ownOutput!, settings, stoppingToken).ConfigureAwait(false);
        }
        finally
        {
            if (ownInput is not null)
                await ownInput.DisposeAsync().ConfigureAwait(false);
            if (ownOutput is not null)
                await ownOutput.DisposeAsync().ConfigureAwait(false);
        }

        if (settings.StopsApplication)
            lifetime.StopApplication();
    }

    private Task ServeAsync(Stream input, Stream output, StdioOptions settings, CancellationToken stoppingToken)
    {
        var maxMessage = link.Value.MaxMessage;
        var (transport, frames) = LinkPipe.CreatePair(maxMessage);
        var connection = new LinkConnection(Name, "further", frames)
        {
            Principal = Rights.Grant(UserAccount.Current.Name, settings.Access),
            HearsEnd = true,
            MaxMessage = maxMessage,
        };
        var pump = new LinePump(input, output, transport, maxMessage, Name, logger) { Lost = connection.Lose, Lingers = false };
        return LinePump.ServeAsync(server, connection, pump, stoppingToken);
    }
}
