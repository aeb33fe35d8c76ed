using System.Text.RegularExpressions;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;
using Microsoft.Extensions.DependencyInjection;

// Drives programs as a person does at a terminal: waits for what they print or show, and types. On the device of the address that it is given, such
// as "exec:ssh pi furtherlink stdio"; without one in this process.
await using var services = new ServiceCollection().AddFurtherLink().AddStandardRunners().Services.BuildServiceProvider();
await using var client = args is [var address] ? await FurtherLinkClient.ConnectAsync(address) : services.GetRequiredService<FurtherLinkClient>();

// Python: a prompt, an answer, an error, and out.
await using (var python = await StartAsync("python3", "-q"))
{
    await python.ExpectAsync(">>> ");
    await python.SendLineAsync("6 * 7");
    var answer = await python.ExpectAsync(new Regex(@"\n\d+\n", RegexOptions.NonBacktracking));
    Console.WriteLine($"python says {answer.Text.Trim()}");
    await python.ExpectAsync(">>> ");
    await python.SendLineAsync("1 / 0");
    await python.ExpectAsync("ZeroDivisionError");
    await python.ExpectAsync(">>> ");
    await python.SendKeysAsync(Ctrl.D);
    Console.WriteLine($"python ended with {(await python.ExpectEndAsync()).Exit.Code}");
}

// bash: a command that would take long is interrupted, and its exit code asked for.
await using (var bash = await StartAsync("bash", "--norc", "--noprofile"))
{
    await bash.ExpectAsync("$ ");
    await bash.SendLineAsync("sh -c 'echo rea\"\"dy; exec cat'");
    await bash.ExpectAsync("ready\n");
    await bash.SendKeysAsync(Ctrl.C);
    await bash.ExpectAsync("$ ");
    await bash.SendLineAsync("echo \"code $?\"");
    Console.WriteLine($"bash says {(await bash.ExpectAsync(new Regex(@"\ncode \d+\n", RegexOptions.NonBacktracking))).Text.Trim()}");
}

// less: what counts is the picture. It gets its text from seq, and the end of the text is gone to.
await using (var less = await StartAsync("sh", "-c", "seq 1 1000 | less"))
{
    await less.ExpectScreenAsync(screen => screen.Row(0) == "1" && screen.Row(-1) == ":");
    await less.SendKeysAsync("G");
    var screen = await less.ExpectScreenAsync(screen => screen.Row(-2) == "1000" && screen.Row(-1) == "(END)");
    Console.WriteLine($"less shows {screen.Row(0)} to {screen.Row(-2)}");
    await less.SendKeysAsync("q");
    await less.ExpectEndAsync();
}

// top: draws its table, and ends at a key.
await using (var top = await StartAsync("top"))
{
    await top.ExpectScreenAsync("PID USER");
    await top.SendKeysAsync("q");
    Console.WriteLine($"top ended with {(await top.ExpectEndAsync()).Exit.Code}");
}

// What programs show must not depend on who runs them and where.
Task<ConsoleSession> StartAsync(params string[] command) => client.StartConsoleAsync(new RunRequest("program")
{
    Arguments = command,
    Environment = new Dictionary<string, string?> { ["PS1"] = "$ ", ["LESS"] = null, ["PYTHONSTARTUP"] = null },
});
