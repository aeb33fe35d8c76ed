namespace FurtherLink.Tests.Gatt.Chunks;

/// <summary>Runs a check by many seeds: some that are always the same, and others each time; the one that fails is said.</summary>
internal static class Seeds
{
    public static void ForEach(int count, Action<Random> check)
    {
        var first = TestContext.CurrentContext.Random.Next();
        for (var i = 0; i < count; i++)
        {
            var seed = i < count / 2 ? i : first + i;
            try
            {
                check(new Random(seed));
            }
            catch
            {
                TestContext.Out.WriteLine($"seed {seed}");
                throw;
            }
        }
    }

    /// <summary>A message of some length.</summary>
    public static byte[] Message(this Random random, int length)
    {
        var message = new byte[length];
        random.NextBytes(message);
        return message;
    }
}
