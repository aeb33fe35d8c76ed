using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Security;
using FurtherLink.Telemetry;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Telemetry;

/// <summary>What a listener of the activity source sees.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class LinkActivitiesTests
{
    private readonly ActivitySource _testing = new("FurtherLink.Tests");
    private readonly List<Activity> _activities = [];
    private ActivityListener _listener = null!;
    private Activity _root = null!;

    [SetUp]
    public void SetUp()
    {
        _activities.Clear();
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == LinkTelemetry.ActivitySourceName || source == _testing,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                // Other tests of this process have traces of their own.
                lock (_activities)
                {
                    if (activity.TraceId == _root.TraceId)
                        _activities.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
        _root = _testing.StartActivity("test")!;
    }

    [TearDown]
    public void TearDown()
    {
        _root.Dispose();
        _listener.Dispose();
    }

    [OneTimeTearDown]
    public void EndSource() => _testing.Dispose();

    [Test]
    public async Task Start_OfASession_IsAnActivityWithItsIds()
    {
        await using var host = new TestHost();
        var session = await host.Sessions.StartAsync(new RunRequest("fake") { Arguments = ["secret"], Session = new SessionOptions { Name = "secret" } });
        var activity = await SingleAsync("start session");
        Assert.Multiple(() =>
        {
            Assert.That(activity.Kind, Is.EqualTo(ActivityKind.Internal));
            Assert.That(activity.Status, Is.EqualTo(ActivityStatusCode.Unset));
            Assert.That(activity.ParentSpanId, Is.EqualTo(_root.SpanId));
            Assert.That(activity.TagObjects, Is.EquivalentTo(new Dictionary<string, object?>
            {
                ["furtherlink.runner"] = "fake",
                ["furtherlink.session.id"] = session.Id,
                ["process.pid"] = session.Info.ProcessId,
            }));
        });
    }

    [Test]
    public async Task Start_ThatFails_IsAnErrorWithoutWords()
    {
        await using var host = new TestHost();
        await Assert.ThrowsAsync<LinkException>(() => host.Sessions.StartAsync(new RunRequest("secret")));
        var activity = await SingleAsync("start session");
        Assert.Multiple(() =>
        {
            Assert.That(activity.Status, Is.EqualTo(ActivityStatusCode.Error));
            Assert.That(activity.StatusDescription, Is.Null);
            Assert.That(activity.TagObjects, Is.EquivalentTo(new Dictionary<string, object?> { ["error.type"] = "not_found" }));
        });
    }

    [TestCase("echo", null)]
    [TestCase("refuse", "denied")]
    [TestCase("break", "System.InvalidOperationException")]
    public async Task Call_OfAService_IsAnActivity(string verb, string? error)
    {
        await using var host = new TestHost(builder => builder
            .AddService(_ => new TalkService())
            .AddCodec("calls", _ => new CallCodec($"talk.{verb}")));
        await using var wire = new MemoryWire(host.Server, pipe => new LinkConnection("test", "calls", pipe) { Principal = Rights.Grant("test", Access.Own) });
        await wire.SendAsync("secret");
        Assert.That(await wire.ReceiveAsync(), Is.Not.Null);
        var activity = await SingleAsync("call talk");
        Assert.Multiple(() =>
        {
            Assert.That(activity.Status, Is.EqualTo(error is null ? ActivityStatusCode.Unset : ActivityStatusCode.Error));
            Assert.That(activity.GetTagItem("rpc.service"), Is.EqualTo("talk"));
            Assert.That(activity.GetTagItem("rpc.method"), Is.EqualTo($"talk.{verb}"));
            Assert.That(activity.GetTagItem("error.type"), Is.EqualTo(error));
            Assert.That(activity.TagObjects.Select(tag => tag.Value?.ToString()), Has.None.Contains("secret"));
        });
    }

    /// <summary>The one of a name, which may end behind the answer.</summary>
    private async Task<Activity> SingleAsync(string name)
    {
        await Patience.UntilAsync(() => All().Length > 0, name);
        return All().Single();

        Activity[] All()
        {
            lock (_activities)
                return [.. _activities.Where(activity => activity.OperationName == name)];
        }
    }

    private sealed class TalkService : IService
    {
        public string Name => "talk";

        public Access Needs(Call call) => Access.View;

        public ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken) => call.Name switch
        {
            "talk.refuse" => throw new LinkException(FailureCode.Denied, "secret"),
            "talk.break" => throw new InvalidOperationException("secret"),
            _ => ValueTask.FromResult<object?>(call.Body),
        };
    }

    /// <summary>Makes every frame a call, and a frame of every answer.</summary>
    private sealed class CallCodec(string name) : IMessageCodec
    {
        public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
        {
            message = new Call(name, "secret");
            return true;
        }

        public void Encode(ServerMessage message, FrameWriter output) => output.Write(FrameKind.Text, "{}"u8);
    }
}
