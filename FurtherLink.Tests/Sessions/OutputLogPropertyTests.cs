using System.Text;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

/// <summary>Random schedules against a model that keeps everything that was ever written.</summary>
public sealed class OutputLogPropertyTests
{
    private const int Schedules = 400;

    /// <summary>To run one schedule again: FURTHERLINK_TEST_SEED=12345.</summary>
    private static readonly int? OnlySeed =
        int.TryParse(Environment.GetEnvironmentVariable("FURTHERLINK_TEST_SEED"), out var seed) ? seed : null;

    [Test]
    public void Log_RandomAppendsReadersReleasesDetaches_IsWhatTheModelSays([Values] bool archived)
    {
        var first = OnlySeed ?? Random.Shared.Next();
        TestContext.Out.WriteLine($"seeds {first} to {first + Schedules - 1}");
        for (var seed = first; seed < first + (OnlySeed is null ? Schedules : 1); seed++)
        {
            try
            {
                new Schedule(seed, archived).Run();
            }
            catch (Exception e) when (e is not ResultStateException)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
    }

    private static int Incomplete(List<byte> data)
    {
        for (var n = 1; n <= Math.Min(3, data.Count); n++)
        {
            if (Rune.DecodeFromUtf8(data.TakeLast(n).ToArray(), out _, out _) == System.Buffers.OperationStatus.NeedMoreData)
                return n;
        }

        return 0;
    }

    private sealed class Schedule(int seed, bool archived)
    {
        private readonly Random _random = new(seed);
        private readonly LogBlockPool _pool = new();
        private readonly ManualTimeProvider _time = new();
        private readonly List<(OutputKind Kind, byte Value)> _history = [];
        private readonly List<long> _times = [];
        private readonly List<ModelReader> _readers = [];
        private readonly Task<System.IO.Pipelines.FlushResult>?[] _flushes = new Task<System.IO.Pipelines.FlushResult>?[2];
        private readonly MemoryArchive _archive = new();
        private OutputLog _log = new(new LogOptions());
        private OutputReader? _archiver;

        public void Run()
        {
            _log = new OutputLog(new LogOptions
            {
                Capacity = 4096 << _random.Next(3),
                Pool = _pool,
                Time = _time,
                Archive = archived ? _archive : null,
            });
            Archive();
            var steps = _random.Next(20, 400);
            for (var step = 0; step < steps; step++)
                Step();
            Archive();
            _log.Complete(LogTesting.Exit);
            Check(_flushes.All(f => f is null or { IsCompleted: true }), "the end completes every flush");
            foreach (var reader in _readers.ToList())
            {
                reader.ReadToEnd();
                reader.Reader.Dispose();
            }

            _archiver?.Dispose();
            _log.GetWriter(OutputKind.Out).Complete();
            _log.GetWriter(OutputKind.Error).Complete();
            _log.Dispose();
            Check(_readers.TrueForAll(r => r.Ended), "everybody got the exit");
            Check(_log.RetainedBytes == _log.Entries.Size, "no block is kept");
            Check(_pool.Rented == 0, "all blocks are back");
        }

        private void Step()
        {
            var reader = _readers.Count > 0 ? _readers[_random.Next(_readers.Count)] : null;
            switch (_random.Next(archived ? 15 : 12))
            {
                case < 5:
                    Append();
                    break;
                case 5 when _readers.Count < 6:
                    _readers.Add(new ModelReader(this, NewOptions()));
                    break;
                case < 9:
                    reader?.Read(_random.Next(3) == 0 ? _random.Next(1, 8) : _random.Next(1, 5000));
                    break;
                case 9:
                    reader?.Release(_random.Next(3) == 0 ? long.MaxValue : _random.NextInt64(_log.End + 1));
                    break;
                case 10 when reader is not null && _random.Next(3) == 0:
                    reader.Reader.Dispose();
                    _readers.Remove(reader);
                    break;
                case 11 when reader is not null && _random.Next(4) == 0:
                    // Not in the middle of a hole, where it has been told of what will not get its rest.
                    reader.Reader.Lossless = _random.Next(2) == 0 && (!archived || reader.Reader.Position >= _log.Start);
                    break;
                case 12 or 13:
                    Archive();
                    break;
                case 14:
                    LoseArchived();
                    break;
            }

            Check(_log.End == _history.Count, "the end is what was written");
            var floor = Floor();
            Check(archived || _log.Start <= floor, "what a lossless reader has not released is kept");
            if (_flushes.Any(f => f is { IsCompleted: false }))
                Check((_log.End - floor) * (1 + OutputLog.EntryCost) > _log.Options.Capacity / 2, "a flush waits for a reader that holds half of the log");
            if (floor == long.MaxValue)
                Check(!_log.IsFullLocked(), "with nobody to wait for the log is not full");
        }

        // A spill in small: takes what there is into the archive. It may stop and begin again, which leaves a hole.
        private void Archive()
        {
            if (!archived)
                return;
            if (_archiver is not null && _random.Next(8) == 0)
            {
                _archiver.Dispose();
                _archiver = null;
                return;
            }

            if (_archiver is null)
            {
                _archiver = _log.Attach(new ReaderOptions { From = _random.Next(2) == 0 ? Math.Max(_log.Start, _archive.End) : null, Timed = true });
                var tails = new Utf8Tail[2];
                lock (_log.Gate)
                    _log.LookBackLocked(_archiver.Position, tails);
                _archive.Begin(tails);
            }

            while (_random.Next(30) > 0 && _archiver.TryRead(_random.Next(1, 4000), out var chunk) && chunk.Exit is null)
            {
                _archive.Add(chunk);
                _archiver.Release(chunk.Next);
            }
        }

        private void LoseArchived()
        {
            if (_archive.Count > 0)
                _archive.DropBefore(_random.NextInt64(_history.Count + 1));
        }

        private long Floor() => _readers.Select(r => r.Reader).Append(_archiver).Where(r => r is { HoldsLocked: true }).Select(r => r!.Released)
            .DefaultIfEmpty(long.MaxValue).Min();

        private ReaderOptions NewOptions() => new()
        {
            From = _random.Next(3) switch { 0 => null, 1 => 0, _ => _random.NextInt64(_log.End + 2) },
            Text = _random.Next(3) > 0,
            Lossless = _random.Next(2) == 0,
            Timed = _random.Next(2) == 0,
            WakeAfter = _random.Next(2) == 0 ? 1 : 1000,
        };

        private void Append()
        {
            var kind = (OutputKind)_random.Next(1, 3);
            if (_flushes[(int)kind - 1] is { IsCompleted: false } && _random.Next(20) > 0)
                return; // as a loop does; sometimes it writes on all the same, as at a program's end
            var data = NewData();
            if (_random.Next(2) == 0)
                _time.Advance(TimeSpan.FromMilliseconds(_random.Next(15)));
            foreach (var value in data)
            {
                _history.Add((kind, value));
                _times.Add(_time.GetUtcNow().ToUnixTimeMilliseconds());
            }

            var flush = _log.Put(data, kind);
            var floor = Floor();
            if (_flushes[(int)kind - 1] is null or { IsCompleted: true })
            {
                if (floor == long.MaxValue)
                    Check(flush.IsCompleted && _log.End - _log.Start <= _log.Options.Capacity, "nobody holds the log");
                else if (_log.End - Math.Max(floor, _log.Start) > _log.Options.Capacity)
                    Check(!flush.IsCompleted, "the log is full");
                _flushes[(int)kind - 1] = flush;
            }
        }

        private byte[] NewData()
        {
            var data = new List<byte>();
            var length = _random.Next(4) == 0 ? _random.Next(3000) : _random.Next(1, 12);
            var style = _random.Next(4);
            while (data.Count < length)
            {
                switch (style)
                {
                    case 0:
                        data.Add((byte)_random.Next(256));
                        break;
                    case 1:
                        data.Add(new byte[] { 0xE2, 0x82, 0xF0, 0x9F, 0xC3, (byte)'a' }[_random.Next(6)]);
                        break;
                    default:
                        data.AddRange(Encoding.UTF8.GetBytes(new[] { "a", "é", "€", "😀" }[_random.Next(4)]));
                        break;
                }
            }

            return [.. data.Take(length)]; // the last character may be cut
        }

        private static void Check(bool condition, string what)
        {
            if (!condition)
                throw new InvalidOperationException(what);
        }

        // What a reader must get: worked out anew from the whole history each time.
        private sealed class ModelReader
        {
            private readonly Schedule _owner;
            private readonly List<byte>[] _waits = [[], []];
            private readonly SemaphoreSlim _told = new(0);
            private bool _lookBackDue;
            private long _position;

            public ModelReader(Schedule owner, ReaderOptions options)
            {
                _owner = owner;
                Reader = owner._log.Attach(new ReaderOptions
                {
                    From = options.From,
                    Text = options.Text,
                    Lossless = options.Lossless,
                    Timed = options.Timed,
                    WakeAfter = options.WakeAfter,
                    OnOutput = _ => _told.Release(),
                });
                _position = Reader.Position;
                Check(_position == Math.Min(options.From ?? owner._log.End, owner._log.End), "it begins where it was told");
                _lookBackDue = _position < owner._log.Start;
                if (!_lookBackDue)
                    LookBack();
            }

            public OutputReader Reader { get; }

            public bool Ended { get; private set; }

            public void Release(long offset)
            {
                var before = Reader.Released;
                Reader.Release(offset);
                Check(Reader.Released >= before && Reader.Released <= Math.Max(before, Reader.Position), "released is what was read");
            }

            public void ReadToEnd()
            {
                while (Read(64 * 1024, patient: true))
                    Release(long.MaxValue);
            }

            public bool Read(int maxBytes, bool patient = false)
            {
                patient |= _owner._random.Next(4) > 0;
                var start = _owner._log.Start;
                var fromArchive = Reader.CursorLocked.ReadsArchive;
                var overtaken = Reader.Position < start; // it may be ahead of _position, over what waits
                OutputChunk chunk;
                while (!Reader.TryRead(maxBytes, out chunk))
                {
                    if (fromArchive && Reader.Position < _owner._log.Start)
                    {
                        // The stretch is fetched meanwhile.
                        if (!patient)
                            return false;
                        Check(_told.Wait(Patience.Long), "it is told when the stretch is there");
                        continue;
                    }

                    if (!Ended)
                        CheckNothingToRead();
                    return false;
                }

                if (chunk.Missed > 0)
                {
                    Check(_position < start, "nothing is missed where nothing was overwritten");
                    Check(_waits[0].Count + _waits[1].Count == 0, "what waited came before the hole");
                    if (fromArchive)
                        Check(!_owner._archive.HasAny(_position, _position + chunk.Missed), "nothing is missed that is archived");
                    _position += chunk.Missed;
                    LookBack();
                }
                else if (_lookBackDue)
                {
                    LookBack();
                }

                _lookBackDue = false;

                Check(chunk.Offset == _position && chunk.Next >= _position && Reader.Position == chunk.Next, "offsets join");
                Check(chunk.Data.Length <= Math.Max(4, maxBytes), "not more than asked for");
                if (chunk.Exit is not null)
                {
                    Check(_owner._log.IsCompleted && _position >= _owner._log.End && chunk.Data.IsEmpty, "the exit is the last");
                    Check(_waits[0].Count + _waits[1].Count == 0, "nothing waits for ever");
                    Ended = true;
                    return true;
                }

                Check(!chunk.Data.IsEmpty, "a piece has data");
                if (!Reader.Options.Text || !overtaken)
                    CheckTime(chunk);
                if (Reader.Options.Text)
                    TakeText(chunk, maybeBeforeHole: overtaken && chunk.Offset < start);
                else
                    TakeBinary(chunk);
                _position = chunk.Next;
                return true;
            }

            private void CheckNothingToRead()
            {
                var from = Math.Max(_position, _owner._log.Start);
                Check(!_owner._log.IsCompleted, "there is an exit to read");
                foreach (var kind in new[] { OutputKind.Out, OutputKind.Error })
                {
                    var rest = Bytes(kind, from, _owner._log.End);
                    if (Reader.Options.Text)
                        rest.InsertRange(0, Waiting(kind, from));
                    Check(rest.Count == (Reader.Options.Text ? Incomplete(rest) : 0), "all that can be read was read");
                }
            }

            private void CheckTime(OutputChunk chunk)
            {
                if (chunk.Next > _owner._log.End || chunk.Next == chunk.Offset)
                    return; // cut characters at the end
                var late = Enumerable.Range((int)chunk.Offset, (int)(chunk.Next - chunk.Offset)).Where(at => _owner._history[at].Kind == chunk.Kind)
                    .Select(at => _owner._times[at] - chunk.Time).ToList();
                if (!Reader.Options.Text)
                    Check(late[0] is >= 0 and < LogOptions.TimeStep, "the time is that of the first byte");
                if (Reader.Options.Timed)
                    Check(late[^1] is >= 0 and < LogOptions.TimeStep, "no byte is much later");
            }

            private void TakeBinary(OutputChunk chunk)
            {
                Check(chunk.Next - chunk.Offset == chunk.Data.Length, "the piece is as long as it says");
                for (var i = 0; i < chunk.Data.Length; i++)
                    Check(_owner._history[(int)chunk.Offset + i] == (chunk.Kind, chunk.Data.Span[i]), "the bytes are what was written");
            }

            private void TakeText(OutputChunk chunk, bool maybeBeforeHole)
            {
                var last = chunk.Next > _owner._log.End;
                for (var i = 0; i < 2; i++)
                {
                    var kind = (OutputKind)(i + 1);
                    var due = _waits[i].Concat(Bytes(kind, chunk.Offset, Math.Min(chunk.Next, _owner._log.End))).ToList();
                    var got = kind == chunk.Kind ? chunk.Data.ToArray() : [];
                    Check(due.Take(got.Length).SequenceEqual(got), "the bytes are what was written");
                    _waits[i] = due.Skip(got.Length).ToList();
                    var found = !last && _waits[i].SequenceEqual(Waiting(kind, chunk.Next));
                    if (!maybeBeforeHole && !last)
                        Check(found, "what waits can be found again from the offset");
                    else if (kind == chunk.Kind)
                        Check(_waits[i].Count == 0 || found, "what waited came whole");
                }
            }

            private void LookBack()
            {
                if (!Reader.Options.Text)
                    return;
                _waits[0] = Waiting(OutputKind.Out, _position);
                _waits[1] = Waiting(OutputKind.Error, _position);
            }

            private List<byte> Waiting(OutputKind kind, long offset)
            {
                var tail = new List<byte>();
                for (var i = (int)offset - 1; i >= 0 && tail.Count < 3; i--)
                {
                    if (_owner._history[i].Kind == kind)
                        tail.Insert(0, _owner._history[i].Value);
                }

                return tail.TakeLast(Incomplete(tail)).ToList();
            }

            private List<byte> Bytes(OutputKind kind, long from, long to) =>
                _owner._history.Take((int)to).Skip((int)from).Where(h => h.Kind == kind).Select(h => h.Value).ToList();
        }
    }
}
