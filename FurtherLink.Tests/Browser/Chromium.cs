using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Browser;

/// <summary>A real browser without a window, driven by its debugging protocol (chromedevtools.github.io/devtools-protocol).</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonNode>> _asked = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _loaded = new(StringComparer.Ordinal);
    private Task _reading = Task.CompletedTask;
    private Task _draining = Task.CompletedTask;
    private long _last;

    private Chromium(string resolver)
    {
        var start = new ProcessStartInfo("chromium")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = _folder.Path,
        };
        foreach (var argument in new[]
        {
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors", "--no-first-run", "--no-default-browser-check",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--metrics-recording-only",
            "--no-pings", "--remote-debugging-port=0", $"--user-data-dir={_folder.Path}", $"--host-resolver-rules={resolver}", "about:blank",
        })
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["HOME"] = _folder.Path;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
    }

    /// <summary>Starts one.</summary>
    /// <param name="resolver">Which names lead where ("MAP evil.example 127.0.0.1").</param>
    public static async Task<Chromium> StartAsync(string resolver)
    {
        var browser = new Chromium(resolver);
        try
        {
            await browser._socket.ConnectAsync(await browser.FindAddressAsync(), CancellationToken.None).WaitAsync(Patience.Long);
            browser._reading = browser.ReadAsync();
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a page.</summary>
    public async Task<BrowserPage> OpenAsync(string address)
    {
        var target = (string)(await AskAsync("Target.createTarget", new { url = "about:blank" }))["targetId"]!;
        var session = (string)(await AskAsync("Target.attachToTarget", new { targetId = target, flatten = true }))["sessionId"]!;
        await AskAsync("Page.enable", null, session);
        var page = new BrowserPage(this, target, session);
        await page.GoAsync(address);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _sending.Dispose();
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(Patience.Long);
        await _draining.WaitAsync(Patience.Long);
        _process.Dispose();
        _folder.Dispose();
    }

    /// <summary>Waits for the page's next load event, asked for before what causes it.</summary>
    internal Task LoadedAsync(string session) => _loaded.GetOrAdd(session, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(Patience.Long);

    /// <summary>Sends a command, and waits for its result.</summary>
    internal async Task<JsonNode> AskAsync(string method, object? parameters, string? session = null)
    {
        var id = Interlocked.Increment(ref _last);
        var asked = _asked[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var command = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
        {
            ["id"] = id,
            ["method"] = method,
            ["params"] = parameters ?? new { },
            ["sessionId"] = session,
        }.Where(static pair => pair.Value is not null).ToDictionary());
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(command, WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        var answer = await asked.Task.WaitAsync(Patience.Long);
        return answer["result"] ?? throw new AssertionException($"{method}: {answer["error"]?.ToJsonString()}");
    }

    private async Task<Uri> FindAddressAsync()
    {
        const string Words = "DevTools listening on ";
        var printed = new StringBuilder();
        while (await _process.StandardError.ReadLineAsync().WaitAsync(Patience.Long) is { } line)
        {
            printed.AppendLine(line);
            if (line.Contains(Words, StringComparison.Ordinal))
            {
                _draining = _process.StandardError.ReadToEndAsync();
                return new Uri(line[(line.IndexOf(Words, StringComparison.Ordinal) + Words.Length)..]);
            }
        }

        throw new AssertionException($"The browser ended: {printed}");
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        while (true)
        {
            var result = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            message.Write(buffer.AsSpan(0, result.Count));
            if (!result.EndOfMessage)
                continue;
            var node = JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length))!;
            message.SetLength(0);
            if (node["id"] is { } id && _asked.TryRemove((long)id, out var asked))
                asked.TrySetResult(node);
            else if ((string?)node["method"] == "Page.loadEventFired" && _loaded.TryRemove((string)node["sessionId"]!, out var loaded))
                loaded.TrySetResult();
        }
    }
}

/// <summary>A page that is open. Disposing closes it.</summary>
internal sealed class BrowserPage(Chromium browser, string target, string session) : IAsyncDisposable
{
    /// <summary>Goes to an address, and waits until it is loaded.</summary>
    public async Task GoAsync(string address)
    {
        var loaded = browser.LoadedAsync(session);
        var went = await browser.AskAsync("Page.navigate", new { url = address }, session);
        if ((string?)went["errorText"] is { Length: > 0 } error)
            throw new AssertionException($"{address}: {error}");
        await loaded;
    }

    /// <summary>Runs a script as the page's own, and gives what its promise gives, as text.</summary>
    /// <param name="script">The body of an async function.</param>
    public async Task<string> RunAsync(string script)
    {
        var result = await browser.AskAsync(
            "Runtime.evaluate", new { expression = string.Create(CultureInfo.InvariantCulture, $"(async () => {{ {script} }})()"), awaitPromise = true, returnByValue = true }, session);
        return result["exceptionDetails"] is { } thrown
            ? "threw " + (thrown["exception"]?["description"]?.ToString() ?? thrown.ToJsonString())
            : result["result"]?["value"]?.ToString() ?? "nothing";
    }

    public async ValueTask DisposeAsync() => await browser.AskAsync("Target.closeTarget", new { targetId = target });
}
