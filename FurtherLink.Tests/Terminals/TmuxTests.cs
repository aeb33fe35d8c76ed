using FurtherLink.Messages;
using FurtherLink.Terminals;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Terminals;

/// <summary>A screen shows what tmux shows of the same output, and what tmux makes of the screen's snapshot.</summary>
[TestFixture]
internal sealed class TmuxTests
{
    [TestCase(24, 80)]
    [TestCase(6, 20)]
    public async Task Output_OfEverySort_ShowsAsInTmux(int rows, int columns)
    {
        await using var pane = await TmuxPane.StartAsync(new TerminalSize(rows, columns));
        var first = TestContext.CurrentContext.Random.Next();
        for (var seed = first; seed < first + SoakSize.Of(60, 3000); seed++)
            await CompareAsync(pane, new TerminalSize(rows, columns), new TmuxOutput(seed, rows, columns).Next(40), $"seed {seed}");
    }

    [Test]
    public async Task Program_Recorded_ShowsAsInTmux()
    {
        await using var pane = await TmuxPane.StartAsync(RecordedProgram.Size);
        foreach (var name in RecordedProgram.Names)
            await CompareAsync(pane, RecordedProgram.Size, RecordedProgram.Read(name), name);
    }

    private static async Task CompareAsync(TmuxPane pane, TerminalSize size, byte[] output, string what)
    {
        var screen = new TerminalScreen(size);
        screen.Write(output);
        var state = new ScreenState(size.Rows, size.Columns);
        new VtParser(new ControlFunctions(state)).Write(output);
        await CompareAsync(pane, state, output, what);
        await CompareAsync(pane, state, screen.Snapshot(), "snapshot, " + what);
    }

    private static async Task CompareAsync(TmuxPane pane, ScreenState screen, byte[] output, string what)
    {
        // tmux gives up a sequence that it did not get all of within 0.1 s, which happens on a busy machine: then it is asked again.
        var difference = Difference(screen, await pane.ShowAsync(output));
        for (var i = 0; i < 3 && difference is not null; i++)
            difference = Difference(screen, await pane.ShowAsync(output));
        Assert.That(difference, Is.Null, () => $"{what}: {ScreenText.Readable(output)}");
    }

    private static string? Difference(ScreenState screen, (ScreenState Screen, string State) pane)
    {
        for (var i = 0; i < screen.Rows; i++)
        {
            var (row, other) = (screen.Buffer[i], pane.Screen.Buffer[i]);
            if (row.ToString() != other.ToString())
                return $"row {i}: \"{row}\", in tmux \"{other}\"";
            for (var column = 0; column < screen.Columns; column++)
            {
                // Blanks at the end of a row are not told by tmux.
                if (row[column].Rune != ' ' && !row[column].IsSecondHalf && row[column].Style != other[column].Style)
                    return $"row {i}, column {column}: {row[column].Style}, in tmux {other[column].Style}";
            }
        }

        var state = TmuxPane.StateOf(screen);
        return state == pane.State ? null : $"{state}, in tmux {pane.State}";
    }
}
