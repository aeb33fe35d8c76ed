namespace FurtherLink.Tests.Readme;

/// <summary>The other end of an example's messages: a socket, or a command line client.</summary>
internal interface IExchangePeer : IAsyncDisposable
{
    Task SendAsync(string message);

    /// <summary>The next message; null = there will be no more.</summary>
    Task<string?> ReceiveAsync();
}

/// <summary>
/// Plays an example's messages: a line "> message" is sent, a line "&lt; message" must be what is received next, a line "# words" is for
/// people.
/// </summary>
internal static class Exchange
{
    public static async Task PlayAsync(IExchangePeer peer, IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            switch (line)
            {
                case ['>', ' ', .. var message]:
                    await peer.SendAsync(message);
                    break;
                case ['<', ' ', .. var message]:
                    await ExpectAsync(peer, message);
                    break;
                case ['#', ..] or "":
                    break;
                default:
                    Assert.Fail($"A line of an exchange begins with \"> \", \"< \" or \"# \": {line}");
                    break;
            }
        }
    }

    private static async Task ExpectAsync(IExchangePeer peer, string expected)
    {
        var received = await peer.ReceiveAsync();
        while (received is not null && !MessagePattern.Matches(expected, received))
        {
            if (!MessagePattern.IsOutput(received))
                Assert.Fail($"Expected {expected}\n but got {received}");
            var next = await peer.ReceiveAsync();
            var joined = next is null ? null : MessagePattern.Join(received, next);
            if (joined is null)
                Assert.Fail($"Expected {expected}\n but got {received}\n    then {next}");
            received = joined;
        }

        Assert.That(received, Is.Not.Null, $"The connection ended before {expected}");
    }
}
