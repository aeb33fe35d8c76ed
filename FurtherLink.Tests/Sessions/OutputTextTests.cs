using System.Text;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

/// <summary>Output as text is all of it, in order, or an exception that says what is missing.</summary>
[TestFixture]
internal sealed class OutputTextTests
{
    private const string Euro = "€";

    [Test]
    public async Task Text_InPiecesOfBothStreams_HasWholeCharactersInOrder()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 64 * 1024 });
        var bytes = Encoding.UTF8.GetBytes(Euro);
        log.PutNow(bytes.AsSpan(0, 1));
        log.PutNow(bytes.AsSpan(1));
        log.PutNow("err"u8, OutputKind.Error);
        log.PutNow([0xff]);
        log.Complete(LogTesting.Exit);
        Assert.That(await ReadAsync(log), Is.EqualTo(Euro + "err\ufffd"));
        Assert.That(await ReadAsync(log, from: 3), Is.EqualTo("err\ufffd"));
    }

    [Test]
    public async Task Text_OfMoreThanTheLogHolds_IsReadToItsEnd()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 64 * 1024 });
        var reading = ReadAsync(log);
        var writer = log.GetWriter(OutputKind.Out);
        for (var i = 0; i < 100; i++)
            await writer.WriteAsync(Encoding.UTF8.GetBytes(new string((char)('a' + (i % 26)), 10_000))).AsTask().WaitAsync(Patience.Long);
        log.Complete(LogTesting.Exit);
        var expected = string.Concat(Enumerable.Range(0, 100).Select(i => new string((char)('a' + (i % 26)), 10_000)));
        Assert.That(await reading.WaitAsync(Patience.Long), Is.EqualTo(expected));
    }

    [Test]
    public void Text_ThatIsOverwritten_IsMissed()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 4096 });
        for (var i = 0; i < 100; i++)
            log.PutNow(new byte[1000]);
        log.Complete(LogTesting.Exit);
        Assert.That(async () => await ReadAsync(log), Throws.TypeOf<LinkException>().With.Property(nameof(LinkException.Code)).EqualTo(FailureCode.NotFound));
    }

    [Test]
    public void Text_Cancelled_StopsAndLetsTheProgramGoOn()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 4096 });
        using var cancel = new CancellationTokenSource();
        var reading = ReadAsync(log, cancellationToken: cancel.Token);
        cancel.Cancel();
        Assert.That(async () => await reading.WaitAsync(Patience.Long), Throws.InstanceOf<OperationCanceledException>());
        for (var i = 0; i < 100; i++)
            Assert.That(log.GetWriter(OutputKind.Out).WriteAsync(new byte[1000]).AsTask().IsCompletedSuccessfully);
    }

    private static async Task<string> ReadAsync(OutputLog log, long from = 0, CancellationToken cancellationToken = default)
    {
        var text = new StringBuilder();
        await foreach (var piece in log.ReadTextAsync(from, cancellationToken))
            text.Append(piece);
        return text.ToString();
    }
}
