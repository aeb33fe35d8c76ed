using FurtherLink.Device;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class UploadProgressTests
{
    private const int Mega = 1024 * 1024;

    [Test]
    public void Progress_OfALargeUpload_IsSaidOnceForEachTenth()
    {
        var lines = new Lines();
        var progress = new UploadProgress("p", 20 * Mega, new ManualTimeProvider(), lines);
        for (var i = 0; i < 200; i++)
            progress.Add(Mega / 10);
        Assert.That(lines.All, Has.Count.EqualTo(9).Or.Count.EqualTo(10));
        Assert.That(lines.All[0], Does.StartWith("Upload of p: ").And.EndsWith(" bytes, 10 %"));
    }

    [Test]
    public void Progress_OfASmallUpload_IsNotWorthALine()
    {
        var lines = new Lines();
        var progress = new UploadProgress("p", Mega - 1, new ManualTimeProvider(), lines);
        progress.Add(Mega - 1);
        Assert.That(lines.All, Is.Empty);
    }

    [Test]
    public void Progress_ThatTakesLong_IsSaidEveryTwoSeconds()
    {
        var lines = new Lines();
        var time = new ManualTimeProvider();
        var progress = new UploadProgress("p", 0, time, lines);
        for (var i = 0; i < 8; i++)
        {
            time.Advance(TimeSpan.FromSeconds(0.5));
            progress.Add(10);
        }
        Assert.That(lines.All, Is.EqualTo(["Upload of p: 40 bytes", "Upload of p: 80 bytes"]));
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Assert.That(logLevel, Is.EqualTo(LogLevel.Information));
            All.Add(formatter(state, exception));
        }
    }
}
