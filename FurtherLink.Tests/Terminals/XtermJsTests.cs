using System.Text;
using FurtherLink.Messages;
using FurtherLink.Terminals;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Terminals;

/// <summary>A screen's snapshot makes xterm.js show what the screen shows, with every style, and a program's output does, too.</summary>
[TestFixture]
internal sealed class XtermJsTests
{
    private XtermJs _xterm = null!;

    [SetUp]
    public void SetUp() => _xterm = new XtermJs();

    [TearDown]
    public async Task TearDown() => await _xterm.DisposeAsync();

    [TestCase(24, 80)]
    [TestCase(5, 10)]
    public async Task Snapshot_InXtermJs_ShowsTheSame(int rows, int columns)
    {
        var first = TestContext.CurrentContext.Random.Next();
        for (var seed = first; seed < first + SoakSize.Of(150, 5000); seed++)
        {
            // It has emoji of one cell, and no marks in the first column.
            var output = Encoding.UTF8.GetString(new RandomOutput(seed).Next(60)).Replace("👍", "", StringComparison.Ordinal).Replace("\u200d", "", StringComparison.Ordinal);
            await CompareSnapshotAsync(new TerminalSize(rows, columns), Encoding.UTF8.GetBytes(output), $"seed {seed}");
        }
    }

    [TestCaseSource(typeof(RecordedProgram), nameof(RecordedProgram.Names))]
    public async Task Program_InXtermJs_ShowsTheSame(string name)
    {
        var output = RecordedProgram.Read(name);
        var size = RecordedProgram.Size;
        Assert.That(XtermJs.Describe(Show(size, output)), Is.EqualTo(await _xterm.ShowAsync(size.Rows, size.Columns, output)));
        for (var end = 0; end <= output.Length; end += 101)
            await CompareSnapshotAsync(size, output[..end], $"up to {end}");
    }

    private static ScreenState Show(TerminalSize size, byte[] output)
    {
        var screen = new ScreenState(size.Rows, size.Columns);
        new VtParser(new ControlFunctions(screen)).Write(output);
        return screen;
    }

    private async Task CompareSnapshotAsync(TerminalSize size, byte[] output, string what)
    {
        var screen = new TerminalScreen(size);
        screen.Write(output);
        var snapshot = screen.Snapshot();
        Assert.That(
            XtermJs.Describe(Show(size, output)),
            Is.EqualTo(await _xterm.ShowAsync(size.Rows, size.Columns, snapshot)),
            () => $"{what}: {ScreenText.Readable(output)}, snapshot {ScreenText.Readable(snapshot)}");
    }
}
