using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Security;

[TestFixture]
internal sealed class LoginLimiterTests
{
    [TestCase("192.0.2.1", "192.0.2.1", true)]
    [TestCase("192.0.2.1", "192.0.2.2", false)]
    [TestCase("2001:db8::1", "2001:db8:0:0:ffff::2", true, Description = "who has one of these has all")]
    [TestCase("2001:db8::1", "2001:db8:0:1::1", false)]
    [TestCase("::ffff:192.0.2.1", "::ffff:192.0.2.2", false)]
    [TestCase("::1", "::2", false)]
    [TestCase("unix", "unix", true)]
    public void Tries_AreCountedByTheNetworkThatOneClientHas(string one, string other, bool same)
    {
        var limiter = new LoginLimiter(3, new ManualTimeProvider());
        for (var i = 0; i < 3; i++)
            limiter.Fail(new Caller(one, IsLocal: false));
        Assert.That(() => limiter.Fail(new Caller(other, IsLocal: false)), same ? Throws.InstanceOf<LinkException>() : Throws.Nothing);
    }

    [Test]
    public void Tries_OfManyAddresses_AreForgottenFromTheOldest()
    {
        var time = new ManualTimeProvider();
        var limiter = new LoginLimiter(1, time);
        for (var i = 0; i < 5000; i++)
        {
            limiter.Fail(new Caller($"192.0.{i / 256}.{i % 256}", IsLocal: false));
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.That(() => limiter.Demand(new Caller("192.0.19.135", IsLocal: false)), Throws.InstanceOf<LinkException>(), "the last");
        Assert.That(() => limiter.Demand(new Caller("192.0.0.0", IsLocal: false)), Throws.Nothing, "the first");
    }
}
