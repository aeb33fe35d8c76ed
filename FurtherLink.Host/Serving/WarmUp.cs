using System.Buffers;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Security;
using FurtherLink.Sessions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Host.Serving;

/// <summary>
/// Runs one trivial program for nobody once the server listens, so that the first person's program starts as fast as any other: the
/// code has been compiled by then. It uses a table of its own, so that no list and no log shows it.
/// </summary>
internal sealed partial class WarmUp(
    IOptions<LinkOptions> options, IEnumerable<IProcessRunner> runners, IEnumerable<LinkCodec> codecs, IEnumerable<IService> services,
    Ledger ledger, IHostApplicationLifetime lifetime, ILogger<WarmUp> logger) : BackgroundService
{
    private const string Program = "/bin/true";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (!File.Exists(Program))
            return;
        try
        {
            // It must not take a processor from the start itself.
            using var begins = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStarted, stoppingToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, begins.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stoppingToken.ThrowIfCancellationRequested();
            await RunAsync(stoppingToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Nobody waits for it: the first program only starts slower.
            Log.Failed(logger, e);
        }
    }

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        await using var sessions = new SessionTable(options, runners, ledger: ledger);
        var server = new LinkServer(sessions, codecs, services, options);
        var (transport, end) = LinkPipe.CreatePair();
        var serving = server.ServeAsync(new LinkConnection("warm-up", "further", end) { Principal = Rights.Grant("warm-up", Access.Drive) }, stoppingToken);

        try
        {
            new FrameWriter(transport.Output).Write(FrameKind.Text, "{\"type\":\"start\",\"process\":\"1\",\"data\":{\"runner\":\"exec\",\"path\":\"/bin/true\"}}"u8);
            await transport.Output.FlushAsync(stoppingToken);
            for (var isOver = false; !isOver;)
            {
                var result = await transport.Input.ReadAsync(stoppingToken);
                isOver = result.IsCompleted || Tells(result.Buffer.ToArray());
                transport.Input.AdvanceTo(result.Buffer.End);
            }
        }
        finally
        {
            await transport.Output.CompleteAsync();
            await transport.Input.CompleteAsync();
            await serving;
        }
    }

    private static bool Tells(ReadOnlySpan<byte> frames) => frames.IndexOf("\"stopped\""u8) >= 0 || frames.IndexOf("\"error\""u8) >= 0;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "The warm-up failed")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
