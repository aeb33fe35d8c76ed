using System.Diagnostics;
using System.Globalization;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Terminals;

namespace FurtherLink.Tests.Terminals;

/// <summary>A pane of tmux: a terminal that others made, to compare with.</summary>
internal sealed class TmuxPane : IAsyncDisposable
{
    private const string State = "#{cursor_y} #{cursor_x} #{alternate_on} #{cursor_flag} #{keypad_cursor_flag} #{keypad_flag} #{insert_flag} #{origin_flag} #{wrap_flag} #{scroll_region_upper} #{scroll_region_lower} #{mouse_any_flag} #{mouse_sgr_flag}";

    private readonly string _directory = Directory.CreateTempSubdirectory("fl-tmux-").FullName;
    private readonly string _server = "furtherlink-" + Guid.NewGuid().ToString("N");
    private readonly TerminalSize _size;
    private int _count;

    private TmuxPane(TerminalSize size) => _size = size;

    private string Requests => Path.Combine(_directory, "requests");

    /// <summary>Starts a server of its own, in which the pane copies files to its terminal, one after the other.</summary>
    public static async Task<TmuxPane> StartAsync(TerminalSize size)
    {
        var pane = new TmuxPane(size);
        // Opened for both directions it never ends, however often it is written.
        var program = $"stty raw -echo; mkfifo '{pane.Requests}'; exec 3<>'{pane.Requests}'; while read -r file <&3; do cat \"$file\"; done";
        await pane.RunAsync(
            "start-server", ";", "set-option", "-g", "status", "off", ";",
            "new-session", "-d", "-x", $"{size.Columns}", "-y", $"{size.Rows}", program);
        await Support.Patience.UntilAsync(() => File.Exists(pane.Requests), "the program in tmux");
        return pane;
    }

    /// <summary>What the pane shows after a reset and some output.</summary>
    /// <returns>The rows with their styles, as another screen understands them, and the pane's state.</returns>
    public async Task<(ScreenState Screen, string State)> ShowAsync(byte[] output)
    {
        // The title is set by what comes last, so when it is there the rest is, too.
        var mark = $"end-{++_count}";
        var file = Path.Combine(_directory, "output");
        await File.WriteAllBytesAsync(file, [.. "\u0018\e[?1049l\ec"u8, .. output, .. "\u0018\e]2;"u8, .. Encoding.ASCII.GetBytes(mark), 0x07]);
        await using (var requests = new FileStream(Requests, FileMode.Open, FileAccess.Write))
            await requests.WriteAsync(Encoding.UTF8.GetBytes(file + "\n"));

        var deadline = Stopwatch.StartNew();
        while (true)
        {
            var answer = await RunAsync("display-message", "-p", "#{pane_title}", ";", "display-message", "-p", State, ";", "capture-pane", "-p", "-e");
            var lines = answer.Split('\n');
            if (lines[0] == mark)
                return (Read(lines.Skip(2).Take(_size.Rows)), lines[1]);
            if (deadline.Elapsed > TimeSpan.FromSeconds(30))
                Assert.Fail("tmux does not come to the end of the output");
            await Task.Delay(2);
        }
    }

    /// <summary>The same about a screen of ours.</summary>
    public static string StateOf(ScreenState screen)
    {
        var modes = screen.Modes;
        // After the last column tmux counts on.
        var column = screen.Cursor.Column + (screen.Cursor.PendingWrap ? 1 : 0);
        int[] values =
        [
            screen.Cursor.Row, column, Flag(screen.IsAlternate), Flag(modes.Has(TerminalFlags.CursorVisible)),
            Flag(modes.Has(TerminalFlags.ApplicationCursor)), Flag(modes.Has(TerminalFlags.ApplicationKeypad)),
            Flag(modes.Has(TerminalFlags.Insert)), Flag(screen.Cursor.Origin), Flag(modes.Has(TerminalFlags.AutoWrap)),
            screen.Top, screen.Bottom, Flag(modes.MouseTracking != 0), Flag(modes.MouseEncoding == 1006),
        ];
        return string.Join(' ', values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("kill-server");
        Directory.Delete(_directory, recursive: true);
    }

    private static int Flag(bool on) => on ? 1 : 0;

    private ScreenState Read(IEnumerable<string> rows)
    {
        var screen = new ScreenState(_size.Rows, _size.Columns);
        var parser = new VtParser(new ControlFunctions(screen));
        parser.Write("\e)0"u8);
        parser.Write(Encoding.UTF8.GetBytes(string.Join("\r\n", rows)));
        return screen;
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("tmux", ["-L", _server, "-u", "-f", "/dev/null", .. arguments])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            Environment = { ["LC_ALL"] = "C.UTF-8", ["TMUX"] = "", ["TMUX_TMPDIR"] = _directory },
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, () => string.Join(' ', arguments));
        return output;
    }
}
