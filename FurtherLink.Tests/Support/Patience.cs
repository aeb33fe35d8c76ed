namespace FurtherLink.Tests.Support;

/// <summary>How long a test waits for what must come before it calls it missing; never how long something takes.</summary>
internal static class Patience
{
    public static TimeSpan Long { get; } = TimeSpan.FromSeconds(SoakSize.Of(shortForm: 30, longForm: 180));

    /// <summary>Waits for a condition that nothing announces.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var deadline = DateTime.UtcNow + Long;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
                Assert.Fail($"Not seen in {Long.TotalSeconds} s: {what}");
            await Task.Delay(5);
        }
    }
}
