using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Sessions;

namespace FurtherLink.Transports.Portacode.Terminals;

/// <summary>"terminal_exec": a command through /bin/sh, its output as it comes, then its result. Thread safe.</summary>
/// <param name="sessions">The device's sessions.</param>
/// <param name="time">The clock.</param>
internal sealed class ExecAction(SessionTable sessions, TimeProvider time)
{
    /// <summary>Runs a command to its end.</summary>
    public async ValueTask RunAsync(Peer peer, PortacodeRequest request, PortacodeOptions options, IReplies replies, CancellationToken cancellationToken)
    {
        var command = request.RequireText("command");
        var directory = request.Text("cwd");
        var project = request.Text("project_id");
        var seconds = request.Number("timeout");
        if (seconds is <= 0 or > 1e6)
            throw new LinkException(FailureCode.BadValue, "timeout parameter must be more than 0 and at most 1000000 seconds");
        ShellFinder.DemandDirectory(directory);
        var since = time.GetTimestamp();
        OutputReader? reader = null;
        using var place = peer.Admit();
        var session = await sessions.StartAsync(
            peer.Sign(new RunRequest("program")
            {
                Arguments = ["/bin/sh", "-c", command],
                Path = directory is { Length: > 0 } ? Path.GetFullPath(directory) : null,
                User = peer.UserFor(null),
                Environment = Variables(request.Find("env")),
            }),
            created => reader = created.Output.Attach(new ReaderOptions { Text = true }),
            cancellationToken).ConfigureAwait(false);
        place.Dispose();
        var (output, error) = (new CappedText(options.MaxExecOutput), new CappedText(options.MaxExecOutput));
        int code;
        try
        {
            using var timeout = new CancellationTokenSource(seconds is { } most ? TimeSpan.FromSeconds(most) : Timeout.InfiniteTimeSpan, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            code = await FollowAsync(reader!, (kind, text) =>
            {
                (kind is OutputKind.Error ? error : output).Append(text);
                return replies.SendAsync(Printed(command, project, kind, text));
            }, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LinkException(FailureCode.Limited, $"timed out after {seconds!.Value.ToString(CultureInfo.InvariantCulture)} seconds");
        }
        finally
        {
            reader!.Dispose();
            await sessions.RemoveAsync(session.Id).ConfigureAwait(false);
        }

        var result = new JsonObject
        {
            ["command"] = command,
            ["returncode"] = code,
            ["stdout"] = output.ToString(),
            ["stderr"] = error.ToString(),
            ["duration_s"] = Math.Round(time.GetElapsedTime(since).TotalSeconds, 3),
            ["cwd"] = session.Info.WorkingDirectory,
            ["project_id"] = project,
        };
        if (output.IsCut || error.IsCut)
            result["truncated"] = true;
        await replies.SendAsync(new PortacodeEvent("terminal_exec_result", result)).ConfigureAwait(false);
    }

    private static async Task<int> FollowAsync(OutputReader reader, Func<OutputKind, string, ValueTask> print, CancellationToken cancellationToken)
    {
        while (true)
        {
            var chunk = await reader.ReadAsync(TerminalRow.PieceSize, cancellationToken).ConfigureAwait(false);
            if (chunk.Exit is { } exit)
                return exit.Code;
            await print(chunk.Kind, Encoding.UTF8.GetString(chunk.Data.Span)).ConfigureAwait(false);
            reader.Release(chunk.Next);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static PortacodeEvent Printed(string command, string? project, OutputKind kind, string text) => new("terminal_exec_output", new JsonObject
    {
        ["command"] = command,
        [kind is OutputKind.Error ? "stderr" : "stdout"] = text,
        ["project_id"] = project,
    })
    { IsLong = true };

    private static Dictionary<string, string?> Variables(JsonElement? env)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (env is not { } given)
            return variables;
        if (given.ValueKind is not JsonValueKind.Object)
            throw new LinkException(FailureCode.BadMessage, "env parameter must be an object");
        var request = new PortacodeRequest("env", given);
        foreach (var variable in given.EnumerateObject())
            variables[variable.Name] = request.Text(variable.Name);
        return variables;
    }

    /// <summary>The beginning of a text, up to a length.</summary>
    private sealed class CappedText(int most)
    {
        private readonly StringBuilder _text = new();

        public bool IsCut { get; private set; }

        public void Append(string text)
        {
            var room = most - _text.Length;
            IsCut |= text.Length > room;
            _text.Append(text.AsSpan(0, Math.Min(room, text.Length)));
        }

        public override string ToString() => _text.ToString();
    }
}
