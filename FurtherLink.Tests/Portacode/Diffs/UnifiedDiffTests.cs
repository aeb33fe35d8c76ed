using System.Text;
using FurtherLink.Transports.Portacode.Diffs;

namespace FurtherLink.Tests.Portacode.Diffs;

[TestFixture]
internal sealed class UnifiedDiffTests
{
    private const string TwoFiles = """
        diff --git a/one.txt b/one.txt
        index 123..456 100644
        --- a/one.txt
        +++ b/one.txt
        @@ -1,3 +1,3 @@ heading
         a
        -b
        +B
         c
        --- a/two.txt	2026-01-01 00:00:00
        +++ b/two.txt	2026-01-02 00:00:00
        @@ -5 +5,2 @@
         x
        +y
        \ No newline at end of file

        """;

    [Test]
    public void Parse_SeveralFiles_ReadsNamesAndHunks()
    {
        var files = UnifiedDiff.Parse(TwoFiles);

        Assert.Multiple(() =>
        {
            Assert.That(files.Select(file => (file.Path, file.Change, file.Fault)), Is.EqualTo(new[]
            {
                ("one.txt", FileChange.Modify, (DiffFault?)null), ("two.txt", FileChange.Modify, null),
            }));
            Assert.That(files[0].Hunks[0].Lines.Select(line => line.Kind), Is.EqualTo(new[]
            {
                HunkLineKind.Kept, HunkLineKind.Removed, HunkLineKind.Added, HunkLineKind.Kept,
            }));
            Assert.That(files[1].Hunks[0].Start, Is.EqualTo(5));
            Assert.That(Encoding.UTF8.GetString(files[1].Hunks[0].Lines[1].Text.Span), Is.EqualTo("y"));
            Assert.That(Encoding.UTF8.GetString(files[1].Hunks[0].Lines[0].Text.Span), Is.EqualTo("x\n"));
        });
    }

    [TestCase("--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+a\n", "new.txt", FileChange.Create)]
    [TestCase("--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "old.txt", FileChange.Delete)]
    [TestCase("--- old.txt\n+++ old.txt\n@@ -1 +1 @@\n-a\n+b\n", "old.txt", FileChange.Modify)]
    [TestCase("--- a/x\n+++ a/x\n@@ -1 +1 @@\n-a\n+b\n", "a/x", FileChange.Modify)]
    [TestCase("--- \"a/tab\\there \\303\\244\"\n+++ \"b/tab\\there \\303\\244\"\n@@ -1 +1 @@\n-a\n+b\n", "tab\there ä", FileChange.Modify)]
    [TestCase("--- \"a/😀 \\\"\"\n+++ \"b/😀 \\\"\"\n@@ -1 +1 @@\n-a\n+b\n", "😀 \"", FileChange.Modify)]
    [TestCase("--- a/with blank\n+++ b/with blank\n@@ -1 +1 @@\n-a\n+b\n", "with blank", FileChange.Modify)]
    [TestCase("diff --git a/e b/e\nnew file mode 100755\nindex 0..e\n", "e", FileChange.Create)]
    [TestCase("diff --git a/e f b/e f\ndeleted file mode 100644\nindex e..0\n", "e f", FileChange.Delete)]
    [TestCase("diff --git a/e b/e\nold mode 100644\nnew mode 100755\n", "e", FileChange.Modify)]
    [TestCase("diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n", "y", FileChange.Move)]
    [TestCase("@@delete:some/file@@\n", "some/file", FileChange.Delete)]
    [TestCase("@@move: a b -> c/d @@\r\n", "c/d", FileChange.Move)]
    [TestCase("@@rename:a -> b@@", "b", FileChange.Move)]
    public void Parse_OneChange_SaysWhat(string diff, string path, FileChange change)
    {
        var file = UnifiedDiff.Parse(diff).Single();

        Assert.That((file.Path, file.Change, file.Fault), Is.EqualTo((path, change, (DiffFault?)null)));
    }

    [TestCase("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n", "fewer lines")]
    [TestCase("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n", "more lines")]
    [TestCase("--- a/x\n+++ b/x\n@@ -1 +1,3 @@\n-a\n-b\n+c\n", "not those that its header counts")]
    [TestCase("--- a/x\n+++ b/x\n@@ -1 +1 @@\n*a\n", "fewer lines")]
    [TestCase("--- a/x\n+++ b/x\n@@ nonsense @@\n-a\n", "header is not")]
    [TestCase("--- a/x\n+++ b/x\n@@ -99999999999999 +1 @@\n-a\n+b\n", "header is not")]
    [TestCase("--- a/x\n+++ b/x\n@@ -0,0 +0,0 @@\n", "header is not")]
    [TestCase("--- a/x\n+++ b/x\n", "no hunk")]
    [TestCase("--- a/x\n+++ b/x\n-a\n+b\n", "no hunk header")]
    [TestCase("--- a/x\n+++ b/x\n@@ -5 +5 @@\n-a\n+b\n@@ -1 +1 @@\n-a\n+b\n", "order")]
    [TestCase("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "do not name a file")]
    [TestCase("--- \"a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "do not name a file")]
    [TestCase("--- \"a/\\000\"\n+++ \"b/\\000\"\n@@ -1 +1 @@\n-a\n+b\n", "do not name a file")]
    [TestCase("@@ -1 +1 @@\n-a\n+b\n", "no lines --- and +++")]
    [TestCase("--- a/x\n@@ -1 +1 @@\n-a\n+b\n", "no lines --- and +++")]
    [TestCase("diff --git a/x b/x\nBinary files a/x and b/x differ\n", "binary")]
    [TestCase("diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n", "plain files")]
    [TestCase("diff --git a/x b/y\ncopy from x\ncopy to y\n", "copied")]
    [TestCase("diff --git a/x b/x\nindex 1..2\n", "nothing is changed")]
    [TestCase("diff --git a/x b/y\nindex 1..2\n", "does not name one file")]
    [TestCase("diff --git a/x b/y\nrename from x\n", "two names")]
    [TestCase("@@delete:@@\n", "names no file")]
    [TestCase("@@delete:x\n", "does not end in @@")]
    [TestCase("@@delete:@\n", "does not end in @@")]
    [TestCase("@@move:x@@\n", "two names")]
    [TestCase("@@move:a -> b -> c@@\n", "two names")]
    public void Parse_Nonsense_IsAFaultOfItsFileAndTheNextIsRead(string diff, string words)
    {
        var files = UnifiedDiff.Parse(diff + "Index: next\n--- a/next\n+++ b/next\n@@ -1 +1 @@\n-a\n+b\n");

        Assert.Multiple(() =>
        {
            Assert.That(files[0].Fault?.Message, Does.Contain(words).And.StartsWith($"line {files[0].Fault?.Line} of the diff: "));
            Assert.That(files.Skip(1).Select(file => (file.Path, file.Fault)), Is.EqualTo(new[] { ("next", (DiffFault?)null) }));
        });
    }

    [Test]
    public void Parse_HunkTooShortBeforeAFileWithoutGap_FindsThatFile()
    {
        var files = UnifiedDiff.Parse("--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\n--- a/next\n+++ b/next\n@@ -1 +1 @@\n-a\n+b\n");

        Assert.That(files.Select(file => (file.Path, file.Fault is null)), Is.EqualTo(new[] { ("x", false), ("next", true) }));
    }

    [Test]
    public void Parse_RemovedLineOfDashes_IsNoHeader()
    {
        var file = UnifiedDiff.Parse("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/y\n+++ b/y\n z\n").Single();

        Assert.That((file.Fault, Encoding.UTF8.GetString(file.Hunks[0].Lines[0].Text.Span)), Is.EqualTo(((DiffFault?)null, "-- a/y\n")));
    }

    [Test]
    public void Parse_WordsAroundFiles_AreNoFiles() =>
        Assert.That(UnifiedDiff.Parse("From: me\n\nSubject\n---\n 1 file changed\n\n" + TwoFiles + "-- \n2.40\n"), Has.Count.EqualTo(2));

    [Test]
    public void Parse_Directives_ComeFirst()
    {
        var files = UnifiedDiff.Parse(TwoFiles + "@@move:a -> one.txt@@\n");

        Assert.That(files.Select(file => file.Path), Is.EqualTo(new[] { "one.txt", "one.txt", "two.txt" }));
        Assert.That(files[0].Change, Is.EqualTo(FileChange.Move));
    }

    [Test]
    public void Parse_CutAnywhere_NeverTakesHalfAHunkForAWhole()
    {
        for (var length = 0; length <= TwoFiles.Length; length++)
        {
            foreach (var hunk in UnifiedDiff.Parse(TwoFiles[..length]).Where(file => file.Fault is null).SelectMany(file => file.Hunks))
                Assert.That(hunk.Lines, Has.Count.EqualTo(hunk.Start == 1 ? 4 : 2), TwoFiles[..length]);
        }
    }

    [Test]
    public void Parse_RandomPieces_NeverFailsAndNeverPatchesWithAFaultyHunk()
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] pieces =
        [
            "--- a/x\n", "+++ b/x\n", "--- /dev/null\n", "+++ /dev/null\n", "@@ -1 +1 @@\n", "@@ -1,2 +1,3 @@\n", "@@ -0,0 +1 @@\n", "@@", "@@ -", "diff --git a/x b/x\n",
            "diff --git ", "rename from x\n", "rename to y\n", "new file mode 100644\n", "deleted file mode 1\n", "@@delete:", "@@move:", " -> ", "@@\n", "+", "-", " ", "\\ No\n", "\n",
            "\r\n", "a\n", "\"", "\\303", "\0", "ä", "😀", "GIT binary patch\n", "Binary files \n", "\t", "99999999999",
        ];
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => pieces[random.Next(pieces.Length)]));
            foreach (var file in UnifiedDiff.Parse(text))
            {
                Assert.That(file.Fault is not null || DiffNames.IsUsable(file.Path), Is.True, text);
                Assert.That(file.Fault is null || file.Hunks.Count == 0, Is.True, text);
                _ = PatchedText.TryApply([.. "a\nb\n"u8], file.Hunks, out _, out _);
                _ = DiffHtml.Render(file, file.Change, file.Fault?.Message);
            }
        }
    }
}
