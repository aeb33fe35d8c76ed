namespace FurtherLink.Tests.Conformance;

/// <summary>Pictures and keys that melt into each other, come too late, or are open to everybody.</summary>
[TestFixture]
internal sealed class ExistingServerFaultTestsChannels : ExistingServerFaultTests
{
    [Test]
    public async Task Messages_CutAtEveryPlace_StayApartAndWhole([Values("video", "keylisten")] string channel)
    {
        await using var client = await ConnectAsync();
        var program = await client.PythonAsync($$"""
            import fcntl, os, socket, struct, termios, time
            path = f"{os.environ['FURTHER_LINK_TEMP_DIR']}/{os.getpgrp()}.{{channel}}.sock"
            while not os.path.exists(path): time.sleep(0.001)
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            # What is sent has been read before more is sent.
            def send(data):
                connection.sendall(data)
                while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0] > 0: pass
            data = b"one  picture end{{channel}} \xff and other end{{channel}} "
            for cut in range(1, len(data)):
                send(data[:cut])
                send(data[cut:])
            send(b"last end{{channel}} ")
            print(len(data) - 1)
            """);
        Assert.That(await program.ExitAsync(), Is.Zero, program.Error);

        var messages = program.Notices.Select(notice => notice.Text).ToList();
        Assert.That(program.Notices.Select(notice => notice.Channel), Is.All.EqualTo(channel));
        Assert.That(messages[^1], Is.EqualTo("last"));
        string[] sent = ["one  picture", "\uFFFD and other"];
        if (channel == "keylisten")
            Assert.That(messages[..^1], Is.EqualTo(Enumerable.Repeat(sent, int.Parse(program.Output)).SelectMany(pair => pair)));
        else
            Assert.That(messages.Distinct(), Is.SubsetOf(sent.Append("last")), "of pictures only the newest must come, but each as it was sent");
    }

    [Test]
    public async Task Picture_SentRightBeforeExit_ComesBeforeItsEnd([Values(5_000, 2_000_000)] int size)
    {
        await using var client = await ConnectAsync();
        for (var run = 0; run < 10; run++)
        {
            var program = await client.PythonAsync($$"""
                import os
                from further_link import channels
                channels.send("video", "p" * {{size}})
                os._exit(0)
                """);
            Assert.That(await program.ExitAsync(), Is.Zero, program.Error);
            Assert.That(program.Notices.Select(notice => notice.Text.Length), Is.EqualTo([size]), $"run {run}");
            Assert.That(program.Notices[0].Text.AsSpan().IndexOfAnyExcept('p'), Is.EqualTo(-1));
        }
    }

    [Test]
    public async Task Key_Space_IsHeardAndSoAreThoseAfterIt()
    {
        await using var client = await ConnectAsync();
        var program = await client.PythonAsync("""
            from further_link import KeyboardButton
            space, other = KeyboardButton(" "), KeyboardButton("a")
            space.when_pressed = lambda: print("space down")
            space.when_released = lambda: print("space up")
            other.when_pressed = lambda: print("other down")
            print("ready")
            """);
        await program.NoticeAsync("keylisten", " ");
        await program.NoticeAsync("keylisten", "a");
        await program.SeeAsync("ready\n");
        await program.KeyAsync(" ", "keydown");
        await program.KeyAsync(" ", "keyup");
        await program.KeyAsync("a", "keydown");
        await program.SeeAsync("space down\nspace up\nother down\n");
        await program.StopAsync();
        Assert.That(await program.ExitAsync(), Is.EqualTo(-15));
    }

    [Test]
    public async Task Sockets_OfAProgram_AreClosedToOtherUsers()
    {
        RequireRoot();
        await using var mine = await ConnectAsync(user: "daemon");
        await using var theirs = await ConnectAsync(user: "nobody");
        var program = await mine.PythonAsync("""
            import os, signal
            from further_link import KeyboardButton, channels
            button = KeyboardButton("a")
            button.when_pressed = lambda: print("pressed")
            channels.send("video", "mine")
            print(os.environ["FURTHER_LINK_TEMP_DIR"], os.getpgrp())
            """);
        await program.NoticeAsync("video", "mine");
        await program.SeeAsync("\n");
        var (directory, group) = (program.Output.Split(' ')[0], program.Output.TrimEnd().Split(' ')[1]);

        Assert.That(Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName), Is.EquivalentTo(new[] { "video", "keylisten", "keyevent" }.Select(channel => $"{group}.{channel}.sock")));
        var intruder = await theirs.PythonAsync($$"""
            import os, socket
            for channel, text in ("video", b"x endvideo "), ("keylisten", b"x endkeylisten "), ("keyevent", b"a keydown endkeyevent "):
                path = "{{directory}}/{{group}}." + channel + ".sock"
                for attempt in (lambda: socket.socket(socket.AF_UNIX).connect(path), lambda: os.unlink(path), lambda: socket.socket(socket.AF_UNIX).bind(path + "2")):
                    try:
                        attempt()
                        print("open:", path)
                    except PermissionError:
                        print("closed")
            """);
        Assert.That(await intruder.ExitAsync(), Is.Zero, intruder.Error);
        Assert.That(intruder.Output, Is.EqualTo(string.Concat(Enumerable.Repeat("closed\n", 9))));

        // The way that it is named by all the same works for whom it is meant.
        await program.KeyAsync("a", "keydown");
        await program.SeeAsync("pressed");
        Assert.That(program.Notices, Has.Count.EqualTo(2));
    }
}
