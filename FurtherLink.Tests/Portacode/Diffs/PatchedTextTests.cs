using System.Text;
using FurtherLink.Transports.Portacode.Diffs;

namespace FurtherLink.Tests.Portacode.Diffs;

[TestFixture]
internal sealed class PatchedTextTests
{
    [TestCase("a\nb\nc\n", "@@ -2 +2 @@\n-b\n+B\n", "a\nB\nc\n", TestName = "Apply_WhereTheNumbersSay_Changes")]
    [TestCase("", "@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n", TestName = "Apply_ToNothing_Fills")]
    [TestCase("a\nb\n", "@@ -1,2 +0,0 @@\n-a\n-b\n", "", TestName = "Apply_AllRemoved_Empties")]
    [TestCase("a\nb\n", "@@ -1,0 +2 @@\n+x\n", "a\nx\nb\n", TestName = "Apply_WithoutOldLines_InsertsBehindTheLine")]
    [TestCase("a\nb", "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n", "a\nc", TestName = "Apply_NoNewline_IsKept")]
    [TestCase("a\nb", "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+b\n", "a\nb\n", TestName = "Apply_NewlineAdded_IsThere")]
    [TestCase("a\nb\n", "@@ -2 +2 @@\n-b\n+b\n\\ No newline at end of file\n", "a\nb", TestName = "Apply_NewlineTaken_IsGone")]
    [TestCase("a\r\nb\r\n", "@@ -2 +2 @@\n-b\r\n+B\r\n", "a\r\nB\r\n", TestName = "Apply_CrLfInBoth_IsKept")]
    [TestCase("a\r\nb\r\nc\r\n", "@@ -1,2 +1,3 @@\n a\n-b\n+B\n+\n", "a\r\nB\r\n\r\nc\r\n", TestName = "Apply_LfDiffToCrLfFile_KeepsCrLf")]
    [TestCase("a\nb\n", "@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+B\r\n", "a\nB\n", TestName = "Apply_CrLfDiffToLfFile_KeepsLf")]
    [TestCase("a\nb", "@@ -1,2 +1,4 @@\n a\n b\n+\n+c\n", "a\nb\n\nc\n", TestName = "Apply_MarkerMissing_EndsTheLineBefore")]
    [TestCase("x\ny\na\nb\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", "x\ny\na\nB\nc\n", TestName = "Apply_MovedDown_IsFound")]
    [TestCase("a\nb\nc\n", "@@ -9,3 +9,3 @@\n a\n-b\n+B\n c\n", "a\nB\nc\n", TestName = "Apply_MovedUp_IsFound")]
    [TestCase("q\nm\nq\nm\nq\nm\n", "@@ -5,2 +5,2 @@\n q\n-m\n+M\n", "q\nm\nq\nm\nq\nM\n", TestName = "Apply_SeveralPlaces_TakesTheNamedOne")]
    [TestCase("1\n2\na\nb\n3\n4\nc\nd\n", "@@ -1,2 +1,2 @@\n a\n-b\n+B\n@@ -5,2 +5,2 @@\n c\n-d\n+D\n", "1\n2\na\nB\n3\n4\nc\nD\n", TestName = "Apply_TwoHunksShifted_GoOnTogether")]
    [TestCase("a\n\nb\n", "@@ -1,3 +1,3 @@\n a\n\n-b\n+B\n", "a\n\nB\n", TestName = "Apply_EmptyLineWithoutItsBlank_IsContext")]
    public void Apply(string original, string hunks, string expected)
    {
        var applied = PatchedText.TryApply(Bytes(original), Hunks(hunks), out var patched, out var fault);

        Assert.That((applied, fault, applied ? Text(patched!) : null), Is.EqualTo((true, (DiffFault?)null, expected)));
    }

    [Test]
    public void Apply_BytesThatAreNoUtf8_StayAsTheyAre()
    {
        byte[] original = [0xEF, 0xBB, 0xBF, (byte)'\n', 0xFF, 0xFE, 0, (byte)'\n', (byte)'b', (byte)'\n'];

        Assert.That(PatchedText.TryApply(original, Hunks("@@ -3 +3 @@\n-b\n+c\n"), out var patched, out _), Is.True);
        Assert.That(patched, Is.EqualTo((byte[])[.. original[..8], (byte)'c', (byte)'\n']));
    }

    [TestCase("a\nb\nc\n", "@@ -1,3 +1,3 @@\n a\n-x\n+B\n c\n", 2, "line 2: the hunk at line 3 of the diff does not match the file")]
    [TestCase("a\n", "@@ -1,2 +1,2 @@\n a\n-x\n+B\n", 2, "line 2: the hunk at line 3 of the diff goes beyond the file's end")]
    [TestCase("a\n", "@@ -7,0 +8 @@\n+x\n", 2, "line 2: the hunk at line 3 of the diff goes beyond the file's end")]
    [TestCase("a\nb\n", "@@ -1,2 +1 @@\n a\n-b\n@@ -1,0 +2 @@\n+x\n", 2, "line 2: the hunk at line 6 of the diff begins before the one above it ends")]
    public void Apply_Misfit_NamesTheLine(string original, string hunks, int line, string words)
    {
        Assert.That(PatchedText.TryApply(Bytes(original), Hunks(hunks), out _, out var fault), Is.False);
        Assert.That(fault, Is.EqualTo(new DiffFault(words, line)));
    }

    [Test]
    public void Apply_EqualLinesThatAlmostFit_GivesUpInTime()
    {
        var original = Bytes(string.Concat(Enumerable.Repeat("a\n", 200_000)));
        var hunk = string.Concat(Enumerable.Repeat(" a\n", 10_000));

        Assert.That(PatchedText.TryApply(original, Hunks($"@@ -1,10001 +1,10000 @@\n{hunk}-b\n"), out _, out _), Is.False);
    }

    [Test]
    public void Apply_RandomEdits_GiveTheNewFile()
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 2_000; round++)
        {
            var old = Enumerable.Range(0, random.Next(1, 40)).Select(i => $"{i} {random.Next(4)}").ToList();
            var (diff, fresh) = Edit(random, old);
            if (diff.Length == 0)
                continue;
            // Lines put in front shift every hunk.
            var shift = random.Next(3);
            var before = string.Concat(Enumerable.Range(0, shift).Select(i => $"shifted {i}\n"));

            Assert.That(PatchedText.TryApply(Bytes(before + Joined(old)), Hunks(diff), out var patched, out var fault), Is.True, $"{fault}\n{diff}");
            Assert.That(Text(patched!), Is.EqualTo(before + Joined(fresh)), diff);
        }
    }

    /// <summary>Replaces lines here and there, and writes hunks with one line of context on both sides.</summary>
    private static (string Diff, List<string> Fresh) Edit(Random random, List<string> old)
    {
        var diff = new StringBuilder();
        var fresh = new List<string>(old);
        var (drift, at) = (0, 1);
        while (at + 1 < old.Count)
        {
            if (random.Next(4) != 0)
            {
                at++;
                continue;
            }

            var added = Enumerable.Range(0, random.Next(3)).Select(i => $"new {random.Next(100)}").ToList();
            diff.Append($"@@ -{at},3 +{at + drift},{2 + added.Count} @@\n {old[at - 1]}\n-{old[at]}\n");
            foreach (var line in added)
                diff.Append($"+{line}\n");
            diff.Append($" {old[at + 1]}\n");
            fresh.RemoveAt(at + drift);
            fresh.InsertRange(at + drift, added);
            drift += added.Count - 1;
            at += 3;
        }

        return (diff.ToString(), fresh);
    }

    private static IReadOnlyList<Hunk> Hunks(string hunks)
    {
        var file = UnifiedDiff.Parse("--- a/x\n+++ b/x\n" + hunks).Single();
        Assert.That(file.Fault, Is.Null);
        return file.Hunks;
    }

    private static string Joined(IEnumerable<string> lines) => string.Concat(lines.Select(line => line + "\n"));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
