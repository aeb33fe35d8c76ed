using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Support;

/// <summary>
/// A client of the native dialect over a real WebSocket that has many programs at once. It reads all the time, and tells each program
/// what is said about it; a word about a program before its started or after its stopped is a failure.
/// </summary>
internal sealed class LiveClient : IAsyncDisposable
{
    /// <summary>Only a hang reaches it; a busy machine does not.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<string, LiveProgram> _programs = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<TaskCompletionSource> _pings = new();
    private Task _reading = Task.CompletedTask;
    private int _names;

    private LiveClient()
    {
    }

    public static async Task<LiveClient> ConnectAsync(Uri address)
    {
        var client = new LiveClient();
        await client._socket.ConnectAsync(address, CancellationToken.None).WaitAsync(Patience);
        client._reading = client.ReadAsync();
        return client;
    }

    /// <summary>Starts a program and waits until the server says that it has, or that it has not.</summary>
    public async Task<LiveProgram> StartAsync(string runner, string? code = null, string? path = null, string? name = null)
    {
        var program = new LiveProgram(this, name ?? $"p{Interlocked.Increment(ref _names)}");
        Assert.That(_programs.TryAdd(program.Name, program), $"the name {program.Name} is in use");
        await SendAsync("start", program.Name, new { runner, code, path });
        await program.Answered.WaitAsync(Patience);
        if (!program.IsStarted)
            _programs.TryRemove(program.Name, out _);
        return program;
    }

    /// <summary>Starts Python, which must succeed.</summary>
    public async Task<LiveProgram> PythonAsync(string code)
    {
        var program = await StartAsync("python3", code);
        Assert.That(program.Errors, Is.Empty);
        return program;
    }

    /// <summary>Starts a script of /bin/sh, which must succeed.</summary>
    public async Task<LiveProgram> ShellAsync(string script)
    {
        var program = await StartAsync("exec", "#!/bin/sh\n" + script);
        Assert.That(program.Errors, Is.Empty);
        return program;
    }

    /// <summary>Sends a ping and waits for its pong.</summary>
    public async Task PingAsync()
    {
        var pong = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pings.Enqueue(pong);
        await SendAsync("ping");
        await pong.Task.WaitAsync(Patience);
    }

    public async Task SendAsync(string type, string? process = null, object? data = null)
    {
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new { type, process, data }), WebSocketMessageType.Text, true, CancellationToken.None).WaitAsync(Patience);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Breaks the connection without a word.</summary>
    public void Cut() => _socket.Abort();

    /// <summary>Leaves, and fails where the server said something that it must not have.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_socket.State is WebSocketState.Open)
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WaitAsync(Patience);
        await _reading.WaitAsync(Patience);
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReadAsync()
    {
        Exception end = new AssertionException("The connection ended.");
        try
        {
            while (await ReceiveAsync() is { } message)
                Take(message);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException && _socket.State is WebSocketState.Aborted)
        {
            // Cut by the test.
        }
        catch (Exception e)
        {
            end = e;
            throw;
        }
        finally
        {
            foreach (var program in _programs.Values)
                program.Fail(end);
            while (_pings.TryDequeue(out var ping))
                ping.TrySetException(end);
        }
    }

    private async Task<JsonNode?> ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        using var body = new MemoryStream();
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (part.MessageType is WebSocketMessageType.Close)
                return null;
            body.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return JsonNode.Parse(body.ToArray());
        }
    }

    private void Take(JsonNode message)
    {
        var type = (string)message["type"]!;
        if (type == "pong")
        {
            if (_pings.TryDequeue(out var ping))
                ping.SetResult();
            return;
        }

        var name = (string?)(type == "error" ? message["data"]!["process"] : message["process"]) ?? "";
        if (!_programs.TryGetValue(name, out var program))
            throw new AssertionException($"No program of that name is running: {message.ToJsonString()}");
        if (type == "stopped")
            _programs.TryRemove(name, out _);
        program.Take(type, message["data"]);
    }
}
