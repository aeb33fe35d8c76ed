using System.Buffers;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Codec;

namespace FurtherLink.Tests.Portacode;

/// <summary>What frames of gateways mean, in whatever spelling, and that none does harm.</summary>
[TestFixture]
internal sealed class ReaderTests
{
    [TestCase("""{"device_channel":0,"payload":{"command":"file_read","payload":{"path":"/x"},"client_channel":"A"}}""", "A", "-")]
    [TestCase("""{"channel":0,"payload":{"cmd":"file_read","path":"/x","reply_channel":"A"}}""", "A", "r")]
    [TestCase("""{"channel":0,"payload":{"cmd":"file_read","path":"/x","source_client_session":"A","request_id":"q1"}}""", "A", "-\"q1\"")]
    [TestCase("""{"channel":"0","payload":{"command":"file_read","payload":{"path":"/x","request_id":17}}}""", null, "-17")]
    [TestCase("""{"channel":0,"payload":"{\"cmd\":\"file_read\",\"path\":\"/x\"}"}""", null, "-")]
    [TestCase("""{"channel":0,"device_channel":0,"extra":[[]],"payload":{"cmd":"file_read","path":"/x","payload":7,"unknown":{}}}""", null, "-")]
    public void Action_InAnySpelling_IsTheSame(string frame, string? client, string reference)
    {
        var call = (Call)Read(frame)!;
        var request = (PortacodeRequest)call.Body!;
        Assert.That((call.Name, request.Name, request.Text("path")), Is.EqualTo(("portacode.file_read", "file_read", "/x")));
        Assert.That((call.Client, call.Ref, request.Client), Is.EqualTo((client, reference, client)));
    }

    [Test]
    public void Exec_InTheFlatSpelling_KeepsItsCommand()
    {
        var call = (Call)Read("""{"channel":0,"payload":{"cmd":"terminal_exec","command":"ls"}}""")!;
        Assert.That((call.Name, ((PortacodeRequest)call.Body!).Text("command")), Is.EqualTo(("portacode.terminal_exec", "ls")));
        call = (Call)Read("""{"device_channel":0,"payload":{"command":"terminal_exec","payload":{"command":"ls"}}}""")!;
        Assert.That((call.Name, ((PortacodeRequest)call.Body!).Text("command")), Is.EqualTo(("portacode.terminal_exec", "ls")));
    }

    [TestCase("""{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"t","data":"h\u00e9\n\ud83d\ude00"}}""", true)]
    [TestCase("""{"channel":"t","payload":"h\u00e9\n😀"}""", false)]
    public void Typed_IsInput(string frame, bool confirm)
    {
        var input = (Input)Read(frame)!;
        Assert.That((input.Name, Encoding.UTF8.GetString(input.Data), input.Confirm), Is.EqualTo(("t", "hé\n😀", confirm)));
    }

    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("17")]
    [TestCase("\"x\"")]
    [TestCase("true")]
    [TestCase("")]
    [TestCase("{")]
    [TestCase("{}")]
    [TestCase("""{"channel":0}""")]
    [TestCase("""{"channel":0,"payload":null}""")]
    [TestCase("""{"channel":0,"payload":{}}""")]
    [TestCase("""{"channel":0,"payload":{"event":"x"}}""")]
    [TestCase("""{"channel":0,"payload":{"cmd":17}}""")]
    [TestCase("""{"channel":0,"payload":{"cmd":"\ud800"}}""")]
    [TestCase("""{"channel":0,"payload":"not json"}""")]
    [TestCase("""{"channel":0,"payload":"[1]"}""")]
    [TestCase("""{"channel":{"a":1},"payload":"x"}""")]
    [TestCase("""{"channel":"t","payload":{"cmd":"x"}}""")]
    [TestCase("""{"payload":"x"}""")]
    public void Frame_ThatNamesNoAction_IsPassedOver(string frame) => Assert.That(Read(frame), Is.Null);

    [TestCase("""{"channel":0,"payload":{"cmd":"terminal_send","data":"x"}}""", "terminal_id is required")]
    [TestCase("""{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"","data":"x"}}""", "terminal_id is required")]
    [TestCase("""{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"t","data":17}}""", "data parameter must be a string")]
    [TestCase("""{"channel":0,"payload":{"cmd":"terminal_send","terminal_id":"t","data":"\ud800"}}""", "data parameter is not valid Unicode")]
    [TestCase("""{"payload":{"cmd":"terminal_list"}}""", "the frame has no channel")]
    public void Action_ThatMakesNoSense_IsAnswered(string frame, string message)
    {
        var call = (Call)Read(frame)!;
        Assert.That((call.Body as LinkException)?.Message, Is.EqualTo(message));
        Assert.That(call.Ref, Is.EqualTo("-"));
    }

    [Test]
    public void Nesting_HoweverDeep_DoesNoHarm()
    {
        var deep = new string('[', 200_000);
        Assert.That(Read(deep), Is.Null);
        Assert.That(Read(deep + new string(']', 200_000)), Is.Null);
        var call = (Call)Read("{\"channel\":0,\"payload\":{\"cmd\":\"terminal_list\",\"reply_channel\":\"A\",\"x\":" + deep + new string(']', 200_000) + ",\"request_id\":7}}")!;
        Assert.That(((call.Body as LinkException)?.Message, call.Client, call.Ref), Is.EqualTo(("the frame is nested deeper than 256 levels", "A", "r7")));
        call = (Call)Read("{\"channel\":0,\"payload\":{\"cmd\":\"terminal_list\",\"x\":" + deep[..200] + new string(']', 200) + "}}")!;
        Assert.That(call.Body, Is.InstanceOf<PortacodeRequest>(), "what is unknown is passed over");
    }

    [Test]
    public void Frame_CutOrChangedAtAnyByte_DoesNoHarm()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FURTHERLINK_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var whole = Encoding.UTF8.GetBytes("""{"device_channel":0,"channel":"0","payload":{"command":"terminal_send","payload":{"terminal_id":"t","data":"h\u00e9\ud83d\ude00"},"client_channel":"A","request_id":1.5e3}}""");
        var reader = new PortacodeReader();
        for (var length = 0; length < whole.Length; length++)
            Assert.That(reader.Read(new ReadOnlySequence<byte>(whole, 0, length)), Is.Null);
        Assert.That(reader.Read(new ReadOnlySequence<byte>(whole)), Is.InstanceOf<Input>());
        for (var i = 0; i < 50_000; i++)
        {
            var changed = whole.ToArray();
            for (var times = random.Next(1, 4); times > 0; times--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            if (reader.Read(new ReadOnlySequence<byte>(changed)) is Call { Body: PortacodeRequest request })
                Assert.That(request.Arguments.ValueKind, Is.EqualTo(System.Text.Json.JsonValueKind.Object));
        }
    }

    [Test]
    public void Argument_OfAnotherKind_IsNamed()
    {
        var request = new PortacodeRequest("x", System.Text.Json.JsonDocument.Parse("""{"text":17,"flag":"y","number":"1","list":[1],"half":"\ud800","big":1e99,"halves":["\udfff"]}""").RootElement);
        Assert.Multiple(() =>
        {
            Assert.That(() => request.Text("text"), Says("text parameter must be a string"));
            Assert.That(() => request.RequireText("absent"), Says("absent parameter is required"));
            Assert.That(() => request.Text("half"), Says("half parameter is not valid Unicode"));
            Assert.That(() => request.Flag("flag"), Says("flag parameter must be true or false"));
            Assert.That(() => request.Integer("number"), Says("number parameter must be a whole number"));
            Assert.That(() => request.Integer("big"), Says("big parameter must be a whole number"));
            Assert.That(() => request.Number("number"), Says("number parameter must be a number"));
            Assert.That(() => request.Texts("list"), Says("list parameter must be a list of strings"));
            Assert.That(() => request.Texts("halves"), Says("halves parameter is not valid Unicode"));
        });
    }

    private static NUnit.Framework.Constraints.EqualStringConstraint Says(string message) => Throws.InstanceOf<LinkException>().With.Message.EqualTo(message);

    private static ClientMessage? Read(string frame) => new PortacodeReader().Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(frame)));
}
