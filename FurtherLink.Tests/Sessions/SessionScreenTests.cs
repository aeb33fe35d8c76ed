using System.Text;
using System.Text.Unicode;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Terminals;

namespace FurtherLink.Tests.Sessions;

/// <summary>What a session's terminal shows, and that who attaches with it misses nothing and sees nothing twice.</summary>
internal sealed class SessionScreenTests
{
    private static readonly TerminalSize Size = new(5, 20);

    [Test]
    public void Capture_InTheMiddleOfOutput_AndTheRest_AreTheWhole([Random(8)] int seed)
    {
        var random = new Random(seed);
        using var log = new OutputLog(new LogOptions { Capacity = 4096 });
        using var screen = new SessionScreen(log, Size);
        var whole = new TerminalScreen(Size);
        var joined = new TerminalScreen(Size);
        OutputReader? reader = null;
        for (var i = 0; i < 300; i++)
        {
            var text = Encoding.UTF8.GetBytes(random.Next(4) switch
            {
                0 => $"\u001b[{random.Next(1, 6)};{random.Next(1, 20)}H",
                1 => $"\u001b[{random.Next(30, 38)}m",
                2 => "\r\n",
                _ => string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => random.Next(9) switch { 0 => "é", 1 => "漢", _ => "x" })),
            });
            whole.Write(text);
            // Cut anywhere, also in the middle of a character.
            var cut = random.Next(text.Length + 1);
            log.PutNow(text.AsSpan(0, cut));
            if (i == 150)
                joined.Write(screen.Capture(offset => reader = log.Attach(new ReaderOptions { From = offset })).Span);
            Assert.That(Utf8.IsValid(screen.Capture().Span), Is.True);
            log.PutNow(text.AsSpan(cut));
            if (reader is not null)
                reader.ReadAll().ForEach(chunk => joined.Write(chunk.Data.Span));
        }

        Assert.That(Snapshot(joined), Is.EqualTo(Snapshot(whole)), $"seed {seed}");
        Assert.That(Encoding.UTF8.GetString(screen.Capture().Span), Is.EqualTo(Snapshot(whole)));
        reader!.Dispose();
    }

    [Test]
    public async Task Screen_NobodyAsksFor_HoldsUpNoFlood()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 256 * 1024 });
        using var screen = new SessionScreen(log, Size);
        var line = Encoding.ASCII.GetBytes(new string('y', 1000) + "\r\n");
        for (var i = 0; i < 5000; i++)
            await log.Put(line).WaitAsync(TimeSpan.FromSeconds(30));
        await log.Put("\u001b[2J\u001b[1;1Hdone"u8).WaitAsync(TimeSpan.FromSeconds(30));
        var shown = new TerminalScreen(Size);
        shown.Write(screen.Capture().Span);
        Assert.That(shown.Row(0), Is.EqualTo("done"));
    }

    [Test]
    public void Restore_OfAnotherProcessesScreen_TakesWhatFollowsItAndNotWhatItKnows()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 4096, Start = 100 });
        using var screen = new SessionScreen(log, Size);
        screen.Restore("\u001bcbefore "u8, 110);
        log.PutNow("0123456789after"u8);
        var shown = new TerminalScreen(Size);
        shown.Write(screen.Capture().Span);
        Assert.That(shown.Row(0), Is.EqualTo("before after"));
    }

    private static string Snapshot(TerminalScreen screen)
    {
        var snapshot = new System.Buffers.ArrayBufferWriter<byte>();
        screen.WriteSnapshot(snapshot);
        return Encoding.UTF8.GetString(snapshot.WrittenSpan);
    }
}
