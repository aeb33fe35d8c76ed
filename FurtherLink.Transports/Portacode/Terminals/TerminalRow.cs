using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Transports.Portacode.Terminals;

/// <summary>What a terminal is, as lists and the start show it.</summary>
internal static class TerminalRow
{
    /// <summary>Bytes of recent output that all rows of one list may hold together.</summary>
    public const int ListBudget = 1024 * 1024;

    /// <summary>Bytes of output in one event.</summary>
    public const int PieceSize = 32 * 1024;

    // A page needs a screen and some history; the whole is fetched by a replay.
    private const int MaxBuffer = 64 * 1024;

    /// <summary>What the start of a terminal tells.</summary>
    public static JsonObject Of(SessionInfo info) => new()
    {
        ["terminal_id"] = info.Id,
        ["channel"] = info.Id,
        ["device_channel"] = info.Id,
        ["project_id"] = info.Labels.GetValueOrDefault(TerminalActions.ProjectLabel),
        ["pid"] = info.ProcessId,
        ["shell"] = info.Labels.GetValueOrDefault(TerminalActions.ShellLabel) ?? info.Runner,
        ["cwd"] = info.WorkingDirectory,
        ["cols"] = info.Terminal?.Columns,
        ["rows"] = info.Terminal?.Rows,
    };

    /// <summary>A row of the list.</summary>
    /// <param name="session">The terminal.</param>
    /// <param name="budget">Bytes of output that this row and those after it may hold; less afterwards.</param>
    public static JsonObject Of(ISession session, ref int budget)
    {
        var info = session.Info;
        var row = Of(info);
        var (buffer, offset) = Recent(session.Output, Math.Min(MaxBuffer, budget));
        budget -= buffer.Length;
        row["name"] = info.Name;
        row["returncode"] = info.Exit?.Code;
        row["buffer"] = buffer;
        row["offset"] = offset;
        row["status"] = info.Exit is null ? "active" : "exited";
        row["created_at"] = info.Created.ToUnixTimeMilliseconds() / 1000.0;
        return row;
    }

    private static (string Text, long End) Recent(OutputLog log, int most)
    {
        var from = Math.Max(log.Start, log.End - most);
        using var reader = log.Attach(new ReaderOptions { From = from, Text = true, Lossless = false });
        var text = new StringBuilder();
        while (text.Length < most && reader.TryRead(PieceSize, out var chunk) && chunk.Exit is null)
        {
            var data = chunk.Data.Span;
            // Where it was cut, half a character may stand.
            while (text.Length == 0 && from > 0 && !data.IsEmpty && (data[0] & 0xC0) == 0x80)
                data = data[1..];
            text.Append(Encoding.UTF8.GetString(data));
        }

        return (text.ToString(), reader.Position);
    }
}
