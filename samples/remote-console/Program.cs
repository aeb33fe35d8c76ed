using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// A terminal on a device: the shell there, or a command, as if it ran here.
if (args is not [var address, .. var command])
{
    Console.Error.WriteLine("usage: remote-console ADDRESS [COMMAND [ARG...]]   (ADDRESS: wss://HOST:PORT#sha256=FINGERPRINT, unix:PATH, \"exec:ssh HOST furtherlink stdio\")");
    return 2;
}

using var terminal = new LocalTerminal();
await using var client = await FurtherLinkClient.ConnectAsync(address, new ClientOptions { Changed = Tell });
await using var session = await client.StartAsync(new RunRequest("program")
{
    Arguments = command,
    Terminal = terminal.Size,
    Environment = new Dictionary<string, string?> { ["TERM"] = Environment.GetEnvironmentVariable("TERM") ?? "xterm" },
});

// From here on every key is the program's, Ctrl-C too; the terminal's size is its size.
terminal.EnterRaw();
terminal.WatchSize(() => _ = session.ResizeAsync(terminal.Size));
_ = Task.Run(TypeAsync);
await session.Output.CopyToAsync(Console.OpenStandardOutput());
var status = await session.Exited;
return status.Signal is { } signal ? 128 + signal : status.Code;

async Task TypeAsync()
{
    var input = Console.OpenStandardInput();
    var buffer = new byte[4096];
    try
    {
        while (await input.ReadAsync(buffer) is > 0 and var count)
            await session.WriteAsync(buffer.AsMemory(0, count));
        await session.CompleteInputAsync();
    }
    catch (LinkException)
    {
        // The program has ended, or takes no input: its output says what there is to say.
    }
}

static void Tell(LinkChange change)
{
    if (change.State == LinkState.Reconnecting)
        Console.Error.Write($"\r\n[the connection is lost: {change.Why}; trying again]\r\n");
    else if (change.State == LinkState.Connected)
        Console.Error.Write("\r\n[back]\r\n");
}
