using FurtherLink.Messages;
using FurtherLink.Terminals;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Terminals;

/// <summary>What holds for every output.</summary>
[TestFixture]
internal sealed class TerminalScreenPropertyTests
{
    private static int Rounds => SoakSize.Of(600, 20000);

    [Test]
    public void Output_CutAnywhere_ShowsTheSame()
    {
        ForEachSeed((random, size) =>
        {
            var output = random.Next(60);
            var (whole, pieces) = (new TerminalScreen(size), new TerminalScreen(size));
            whole.Write(output);
            for (var rest = output.AsSpan(); !rest.IsEmpty;)
            {
                var cut = Math.Min(rest.Length, 1 + random.Below(9));
                pieces.Write(rest[..cut]);
                rest = rest[cut..];
            }

            Assert.That(pieces.ReadableSnapshot(), Is.EqualTo(whole.ReadableSnapshot()));
        });
    }

    [Test]
    public void Snapshot_OnAnotherScreen_ShowsTheSame() => ForEachSeed((random, size) =>
    {
        var screen = new TerminalScreen(size);
        screen.Write(random.Next(60));
        screen.Copy();
    });

    [Test]
    public void Snapshot_AnywhereInTheOutput_IsFollowedByTheRest()
    {
        ForEachSeed((random, size) =>
        {
            var output = random.Next(60);
            var cut = random.Below(output.Length + 1);
            var screen = new TerminalScreen(size);
            screen.Write(output.AsSpan(0, cut));
            var copy = screen.Copy();
            screen.Write(output.AsSpan(cut));
            copy.Write(output.AsSpan(cut));
            Assert.That(copy.ReadableSnapshot(), Is.EqualTo(screen.ReadableSnapshot()), () => $"after {ScreenText.Readable(output.AsSpan(0, cut))}");
        });
    }

    [TestCaseSource(typeof(RecordedProgram), nameof(RecordedProgram.Names))]
    public void Snapshot_AnywhereInAProgram_IsFollowedByTheRest(string name)
    {
        var output = RecordedProgram.Read(name);
        var whole = new TerminalScreen(RecordedProgram.Size);
        whole.Write(output);
        var screen = new TerminalScreen(RecordedProgram.Size);
        for (var cut = 0; cut < output.Length; cut++)
        {
            var copy = new TerminalScreen(RecordedProgram.Size);
            copy.Write(screen.Snapshot());
            copy.Write(output.AsSpan(cut));
            Assert.That(copy.ReadableSnapshot(), Is.EqualTo(whole.ReadableSnapshot()), () => $"after {cut} bytes");
            screen.Write(output.AsSpan(cut, 1));
        }
    }

    [Test]
    public void Noise_IsShownSomehow()
    {
        ForEachSeed((random, size) =>
        {
            var screen = new TerminalScreen(size);
            for (var i = 0; i < 5; i++)
            {
                screen.Write(random.NextNoise(300));
                screen.Copy();
                screen.Resize(new TerminalSize(1 + random.Below(12), 1 + random.Below(30)));
                screen.Copy();
            }
        });
    }

    private static void ForEachSeed(Action<RandomOutput, TerminalSize> check)
    {
        var first = TestContext.CurrentContext.Random.Next();
        for (var seed = first; seed < first + Rounds; seed++)
        {
            var random = new RandomOutput(seed);
            var size = random.Below(3) == 0 ? new TerminalSize(24, 80) : new TerminalSize(1 + random.Below(8), 1 + random.Below(20));
            try
            {
                check(random, size);
            }
            catch (Exception)
            {
                TestContext.Out.WriteLine($"seed {seed}, {size}");
                throw;
            }
        }
    }
}
