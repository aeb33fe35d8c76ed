using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>
/// A flood that fifty watch, of whom ten never read and ten read 1 kB a second: what the server's memory, the fast ones, the driver's Ctrl-C and
/// somebody else's echo have of it. The long form judges times, the short one only what does not depend on them.
/// </summary>
internal sealed partial class ManyViewersTests
{
    private const int Fast = 30;
    private const int Trickling = 10;
    private const int Silent = 10;

    private static readonly bool IsLong = SoakSize.Of(0, 1) == 1;
    private static readonly TimeSpan FloodTime = TimeSpan.FromSeconds(SoakSize.Of(4, 60));

    private readonly List<Viewer> _viewers = [];
    private TemporaryFolder _folder = null!;
    private HostProcess _host = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TemporaryFolder();
        _host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls", new Dictionary<string, string?>
        {
            ["FurtherLink__ClientStallTimeout"] = IsLong ? "00:00:30" : "00:00:02",
        });
    }

    [TearDown]
    public async Task TearDown()
    {
        _viewers.ForEach(viewer => viewer.Dispose());
        _viewers.Clear();
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public void Flood_WithFiftyViewers_StaysBoundedAndHoldsUpNobody()
    {
        using var echo = new Echo(_host.Address.Port);
        echo.Measure(50);
        var idle = echo.Measure(500);

        using var driver = new RawWebSocket(_host.Address.Port, "/run?pty=1&extensions=offsets");
        driver.Send("""{"type":"start","process":"1","data":{"runner":"exec","code":"#!/bin/sh\nexec yes","session":{"whenDetached":"keep","name":"flood"}}}""");
        ReadUntil(driver, "\"started\"");
        var reading = new Viewer(driver, bytesPerSecond: int.MaxValue);
        _viewers.Add(reading);
        for (var i = 0; i < Fast; i++)
            _viewers.Add(Attach("flood", int.MaxValue));
        for (var i = 0; i < Trickling; i++)
            _viewers.Add(Attach("flood", 1000));
        for (var i = 0; i < Silent; i++)
            _viewers.Add(Attach("flood", 0));

        var since = Stopwatch.GetTimestamp();
        var beside = new List<double>();
        long most = 0;
        while (Stopwatch.GetElapsedTime(since) < FloodTime)
        {
            beside.AddRange(echo.Measure(20));
            most = Math.Max(most, ResidentBytes());
        }

        driver.Send("""{"type":"stop","process":"1"}""");
        foreach (var viewer in _viewers.Take(1 + Fast))
            viewer.End();
        Print("resident memory, most", $"{most / 1048576.0:0} MiB");
        Print("fast viewers, each", $"{_viewers.Take(1 + Fast).Average(viewer => viewer.Position) / 1048576.0 / FloodTime.TotalSeconds:0.0} MiB/s");
        Print("longest pause of a fast viewer", $"{_viewers.Take(1 + Fast).Max(viewer => viewer.LongestPause).TotalSeconds:0.00} s");
        Print("echo of another session, idle", $"p50 {At(idle, 0.5):0.000} ms, p99 {At(idle, 0.99):0.000} ms");
        Print("echo of another session, beside", $"p50 {At(beside, 0.5):0.000} ms, p99 {At(beside, 0.99):0.000} ms");
        Assert.Multiple(() =>
        {
            Assert.That(most, Is.LessThan(200 * 1024 * 1024));
            Assert.That(_viewers.Take(1 + Fast).Select(viewer => viewer.Fault), Is.All.Null, "what fast viewers have missed");
            Assert.That(_viewers.Take(1 + Fast).Select(viewer => viewer.HasEnded), Is.All.True);
            if (IsLong)
            {
                // A quarter more than the stall timeout is when the log looks again; the rest is this machine.
                Assert.That(_viewers.Take(1 + Fast).Max(viewer => viewer.LongestPause), Is.LessThan(TimeSpan.FromSeconds(45)));
                Assert.That(At(beside, 0.5), Is.LessThan(Math.Max(2 * At(idle, 0.5), 0.1)));
                Assert.That(At(beside, 0.99), Is.LessThan(5));
            }
        });
    }

    [Test]
    public void Interrupt_WhateverViewersHaveToRead_EndsTheFlood()
    {
        var times = new List<double>();
        for (var round = 0; round < SoakSize.Of(3, 100); round++)
        {
            using var driver = new RawWebSocket(_host.Address.Port, "/run?pty=1&extensions=offsets");
            driver.Send($$$$"""{"type":"start","process":"1","data":{"runner":"exec","code":"#!/bin/sh\nexec yes","session":{"whenDetached":"keep","name":"flood{{{{round}}}}"}}}""");
            var pid = int.Parse(ProcessId().Match(ReadUntil(driver, "\"started\"")).Groups["pid"].Value, CultureInfo.InvariantCulture);
            for (var i = 0; i < 10; i++)
                _viewers.Add(Attach($"flood{round}", i % 2 == 0 ? 0 : 1000));
            for (var i = 0; i < 5; i++)
                ReadUntil(driver, "stdout");
            var since = Stopwatch.GetTimestamp();
            driver.Send("""{"type":"stdin","process":"1","data":{"input":"\u0003"}}""");
            while (IsRunning(pid) && Stopwatch.GetElapsedTime(since) < LiveClient.Patience)
                Thread.Sleep(1);
            Assert.That(IsRunning(pid), Is.False);
            times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
            _viewers.ForEach(viewer => viewer.Dispose());
            _viewers.Clear();
        }

        Print("Ctrl-C to the end of the program", $"p50 {At(times, 0.5):0.0} ms, p99 {At(times, 0.99):0.0} ms, {times.Count} rounds");
        if (IsLong)
            Assert.That(At(times, 0.99), Is.LessThan(200));
    }

    private static double At(IEnumerable<double> times, double part)
    {
        var sorted = times.Order().ToList();
        return sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * part)];
    }

    private static void Print(string what, string figure) => TestContext.Out.WriteLine($"{what}: {figure}");

    private static bool IsRunning(int pid)
    {
        try
        {
            // proc(5): the state stands behind the name in brackets; Z is one that has ended.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string ReadUntil(RawWebSocket socket, string text)
    {
        while (true)
        {
            var message = Encoding.UTF8.GetString(socket.Receive());
            if (message.Contains(text, StringComparison.Ordinal))
                return message;
            Assert.That(message, Is.Not.Empty.And.Not.Contains("\"error\""));
        }
    }

    private Viewer Attach(string session, int bytesPerSecond)
    {
        var socket = new RawWebSocket(_host.Address.Port, "/run?extensions=offsets,missed");
        socket.Send($$$"""{"type":"attach","process":"1","data":{"session":"{{{session}}}","from":"now","mode":"view"}}""");
        return new Viewer(socket, bytesPerSecond);
    }

    private long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{_host.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    [GeneratedRegex("\"pid\":(?<pid>[0-9]+)", RegexOptions.NonBacktracking)]
    private static partial Regex ProcessId();

    /// <summary>One who watches on a thread of its own: all, 1 kB a second, or nothing.</summary>
    private sealed class Viewer : IDisposable
    {
        private readonly RawWebSocket _socket;
        private readonly Thread _thread;
        private readonly int _bytesPerSecond;
        private readonly ManualResetEventSlim _disposed = new();

        public Viewer(RawWebSocket socket, int bytesPerSecond)
        {
            _socket = socket;
            _bytesPerSecond = bytesPerSecond;
            _thread = new Thread(Read, 256 * 1024) { IsBackground = true };
            if (bytesPerSecond > 0)
                _thread.Start();
        }

        public long Position { get; private set; }

        public TimeSpan LongestPause { get; private set; }

        public string? Fault { get; private set; }

        public bool HasEnded { get; private set; }

        public void End()
        {
            if (!_thread.Join(LiveClient.Patience))
                Fault ??= "it has not heard of the end";
        }

        public void Dispose()
        {
            _disposed.Set();
            _socket.Dispose();
        }

        private void Read()
        {
            long expected = -1;
            long first = 0;
            var last = Stopwatch.GetTimestamp();
            while (!_disposed.IsSet)
            {
                var message = _socket.Receive();
                if (message.IsEmpty)
                    return;
                var pause = Stopwatch.GetElapsedTime(last);
                last = Stopwatch.GetTimestamp();
                if (pause > LongestPause && expected >= 0)
                    LongestPause = pause;
                if (message.StartsWith("{\"type\": \"stopped\""u8))
                {
                    HasEnded = true;
                    return;
                }

                if (message.StartsWith("{\"type\": \"missed\""u8) && _bytesPerSecond == int.MaxValue)
                    Fault = Encoding.UTF8.GetString(message);
                if (!message.StartsWith("{\"type\": \"stdout\""u8))
                    continue;
                var from = Number(message, "\"from\": "u8);
                var to = Number(message, "\"to\": "u8);
                if (expected < 0)
                    first = from;
                else if (from != expected && _bytesPerSecond == int.MaxValue)
                    Fault = $"output of {from} came where {expected} was next";
                expected = to;
                Position = to - first;
                if (_bytesPerSecond < int.MaxValue)
                    _disposed.Wait(TimeSpan.FromSeconds(message.Length / (double)_bytesPerSecond));
            }
        }

        private static long Number(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
        {
            var at = message.LastIndexOf(name) + name.Length;
            var rest = message[at..];
            return long.Parse(rest[..rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9')], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>A session that gives back each line, over a connection of its own.</summary>
    private sealed class Echo : IDisposable
    {
        private readonly RawWebSocket _socket;

        public Echo(int port)
        {
            _socket = new RawWebSocket(port, "/run?extensions=*");
            _socket.Send("""{"type":"start","process":"1","data":{"runner":"exec","path":"/usr/bin/cat"}}""");
            ReadUntil(_socket, "\"started\"");
        }

        /// <summary>The times in milliseconds from a line sent to its echo.</summary>
        public List<double> Measure(int count)
        {
            var times = new List<double>(count);
            for (var i = 0; i < count; i++)
            {
                var since = Stopwatch.GetTimestamp();
                _socket.Send("""{"type":"stdin","process":"1","data":{"input":"x\n"}}""");
                while (!_socket.Receive().StartsWith("{\"type\": \"stdout\""u8))
                {
                }

                times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
                Thread.Sleep(1);
            }

            return times;
        }

        public void Dispose() => _socket.Dispose();
    }
}
