using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// A terminal on a device: joins this terminal to a program there, until it ends, also across lost connections.
if (args is not [var address, .. var program])
{
    await Console.Error.WriteLineAsync("Usage: remote-console ADDRESS [PROGRAM [ARGUMENTS]]");
    return 2;
}

try
{
    using var terminal = new LocalTerminal();
    using var input = StandardStream.OpenInput();
    using var output = StandardStream.OpenOutput();
    await using var client = await FurtherLinkClient.ConnectAsync(address, new ClientOptions { Changed = Show });
    await using var session = await client.StartAsync(new RunRequest("program")
    {
        Arguments = program,
        Terminal = terminal.Size,
        Environment = new Dictionary<string, string?> { ["TERM"] = Environment.GetEnvironmentVariable("TERM") },
        // A lost connection has a minute to come back.
        Session = new SessionOptions { Grace = TimeSpan.FromMinutes(1) },
    });

    // From here on every key is the program's, Ctrl-C too.
    terminal.EnterRaw();
    terminal.WatchSize(() => _ = TellSizeAsync(session, terminal));
    _ = TypeAsync(session, input);
    while (true)
    {
        var result = await session.Output.ReadAsync();
        await output.WriteAsync(result.Buffer);
        session.Output.AdvanceTo(result.Buffer.End);
        if (result.IsCompleted)
            break;
    }

    // As a shell says it of a program that a signal has ended.
    var status = await session.Exited;
    return status.Signal is { } signal ? 128 + signal : status.Code;
}
catch (Exception e) when (e is LinkException or FormatException)
{
    await Console.Error.WriteLineAsync($"remote-console: {e.Message}");
    return 255;
}

static void Show(LinkChange change)
{
    // In raw mode a line begins at the left edge only where it is told to.
    if (change.State != LinkState.Closed)
        Console.Error.Write(change.State == LinkState.Reconnecting ? "\r\n[connection lost, trying again]\r\n" : "[connected again]\r\n");
}

// What is typed while the connection is lost goes on its way once it is back.
static async Task TypeAsync(ClientSession session, StandardStream input)
{
    try
    {
        var buffer = new byte[4096];
        while (await input.ReadAsync(buffer) is > 0 and var count)
            await session.WriteAsync(buffer.AsMemory(0, count));
        await session.CompleteInputAsync();
    }
    catch (LinkException)
    {
        // It has ended; its output says how.
    }
}

static async Task TellSizeAsync(ClientSession session, LocalTerminal terminal)
{
    try
    {
        await session.ResizeAsync(terminal.Size);
    }
    catch (LinkException)
    {
        // It has ended.
    }
}
