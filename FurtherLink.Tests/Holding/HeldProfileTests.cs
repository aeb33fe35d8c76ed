using FurtherLink.Messages;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Holding;

/// <summary>Programs that the holder runs are held to the settings of the server that starts them.</summary>
[TestFixture]
internal sealed class HeldProfileTests
{
    private static readonly RunRequest Request = new("exec")
    {
        Code = "#!/bin/sh\nexec sleep 1000",
        Session = new SessionOptions { WhenDetached = WhenDetached.Keep, Name = "held" },
    };

    [Test]
    public async Task Session_OfALimitedRunner_IsLimitedWhereTheHolderIsOlder()
    {
        await using var holder = await HolderInProcess.StartAsync();
        await using var device = holder.Connect(static builder =>
            builder.Services.Configure<LinkOptions>(static options => options.Profiles["*"] = new RunProfile { WallTime = TimeSpan.FromMilliseconds(300) }));
        var session = await device.Sessions.StartAsync(Request).WaitAsync(Patience.Long);
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Reason, Is.EqualTo("over its time limit (0.3 s)"));
    }

    [Test]
    public async Task Session_LimitedNoMore_IsNotLimitedByTheHoldersOldSettings()
    {
        await using var holder = await HolderInProcess.StartAsync(static options => options.Profiles["*"] = new RunProfile { WallTime = TimeSpan.FromMilliseconds(1) });
        await using var device = holder.Connect();
        var session = await device.Sessions.StartAsync(Request with { Code = "#!/bin/sh\nsleep 0.3; exit 4" }).WaitAsync(Patience.Long);
        Assert.That(await session.Exited.WaitAsync(Patience.Long), Is.EqualTo(new ExitStatus(4)));
    }
}
