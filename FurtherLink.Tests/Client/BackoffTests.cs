using FurtherLink.Client;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client;

[TestFixture]
internal sealed class BackoffTests
{
    private const int Schedules = 5000;

    private static readonly TimeSpan Least = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(30);

    [Test]
    public void Waits_OfAnySchedule_KeepTheirBounds()
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var schedule = 0; schedule < Schedules; schedule++)
        {
            var time = new ManualTimeProvider();
            var backoff = new Backoff(Least, Most, time, new Random(random.Next()));
            var lost = time.GetUtcNow();
            for (var attempt = 0; attempt < 60; attempt++)
            {
                time.Advance(TimeSpan.FromSeconds(random.NextDouble() * 3));
                var isLoss = random.Next(4) == 0;
                if (isLoss)
                {
                    backoff.Establish();
                    var lasted = TimeSpan.FromSeconds(random.NextDouble() * 20);
                    time.Advance(lasted);
                    lost = time.GetUtcNow();
                    var first = backoff.Next();
                    if (lasted >= TimeSpan.FromSeconds(10))
                        Assert.That(first, Is.InRange(Least / 2, Least), "a lasting connection begins anew");
                    Assert.That(first, Is.InRange(Least / 2, TimeSpan.FromSeconds(5)));
                    time.Advance(first);
                    continue;
                }

                var wait = backoff.Next();
                var most = time.GetUtcNow() - lost < TimeSpan.FromMinutes(1) ? TimeSpan.FromSeconds(5) : Most;
                Assert.That(wait, Is.InRange(Least / 2, most), $"schedule {schedule}, attempt {attempt}");
                time.Advance(wait);
            }
        }
    }

    [Test]
    public void Waits_OfAGatewayThatStaysAway_GrowToTheLongest()
    {
        var time = new ManualTimeProvider();
        var backoff = new Backoff(Least, Most, time, new Random(1));
        var longest = TimeSpan.Zero;
        var since = time.GetUtcNow();
        while (time.GetUtcNow() - since < TimeSpan.FromMinutes(30))
        {
            var wait = backoff.Next();
            longest = wait > longest ? wait : longest;
            time.Advance(wait);
        }

        Assert.That(longest, Is.InRange(TimeSpan.FromSeconds(25), Most));
        Assert.That(backoff.Next(), Is.GreaterThanOrEqualTo(Most / 2));
    }

    [Test]
    public void Attempts_AtAGatewayThatSaysOkAndCloses_AreFewInAnyFourSeconds()
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        for (var schedule = 0; schedule < Schedules; schedule++)
        {
            var time = new ManualTimeProvider();
            var random = new Random(seed + schedule);
            var backoff = new Backoff(Least, Most, time, random);
            var attempts = new Queue<DateTimeOffset>();
            for (var attempt = 0; attempt < 100; attempt++)
            {
                attempts.Enqueue(time.GetUtcNow());
                while (attempts.Peek() < time.GetUtcNow() - TimeSpan.FromSeconds(4))
                    attempts.Dequeue();
                Assert.That(attempts, Has.Count.LessThanOrEqualTo(10));
                backoff.Establish();

                // Now and then it keeps a connection for long enough to count.
                time.Advance(random.Next(10) == 0 ? TimeSpan.FromSeconds(10) : TimeSpan.Zero);
                var wait = backoff.Next();
                Assert.That(wait, Is.LessThanOrEqualTo(TimeSpan.FromSeconds(5)));
                time.Advance(wait);
            }
        }
    }

    [Test]
    public void Waits_OfSeveralDevices_Differ()
    {
        var time = new ManualTimeProvider();
        var waits = Enumerable.Range(0, 1000).Select(seed => new Backoff(Least, Most, time, new Random(seed)).Next()).ToList();
        Assert.That(waits.Distinct().Count(), Is.GreaterThan(990));
        Assert.That(waits.Max() - waits.Min(), Is.GreaterThan(Least * 0.4), "spread over most of a half");
    }

    [Test]
    public void Waits_AfterARejection_AreSlow()
    {
        var time = new ManualTimeProvider();
        var random = new Random(1);
        var backoff = new Backoff(Least, Most, time, random);
        var quick = new Backoff(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(5), time, random);
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            Assert.That(backoff.NextAfterRejection(), Is.InRange(Most / 2, Most));
            Assert.That(quick.NextAfterRejection(), Is.EqualTo(TimeSpan.FromSeconds(1)));
        }
    }

    [Test]
    public void Waits_SetLow_StayLow()
    {
        var time = new ManualTimeProvider();
        var most = TimeSpan.FromMilliseconds(3);
        var backoff = new Backoff(TimeSpan.FromMilliseconds(1), most, time, new Random(1));
        for (var attempt = 0; attempt < 100_000; attempt++)
            Assert.That(backoff.Next(), Is.LessThanOrEqualTo(most).And.GreaterThan(TimeSpan.Zero));
    }
}
