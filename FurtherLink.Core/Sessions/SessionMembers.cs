using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>
/// Who is attached to a session: who drives, who has asked to, and whose size its terminal has. All who are attached are told of every
/// change by the notice "presence". Thread safe.
/// </summary>
public sealed class SessionMembers
{
    private const int MaxClientId = 200;

    // Clients that come back within this many others find their input's number again.
    private const int MaxInputs = 64;

    private readonly Lock _lock = new();
    private readonly List<Member> _members = [];
    private readonly List<(string ClientId, long Sequence)> _inputs = []; // the latest last
    private readonly SessionOptions _options;
    private readonly SessionNotices _notices;
    private readonly Action<TerminalSize> _resize;
    private int _lastId;

    /// <summary>Makes it, with nobody in it.</summary>
    /// <param name="options">Who may type, and whose size counts.</param>
    /// <param name="notices">Where changes are told.</param>
    /// <param name="resize">Sets the terminal's size; called under a lock, it must neither wait nor throw.</param>
    internal SessionMembers(SessionOptions options, SessionNotices notices, Action<TerminalSize> resize)
    {
        _options = options;
        _notices = notices;
        _resize = resize;
    }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _members.Count;
        }
    }

    /// <summary>Who is there now: a snapshot, in the order in which they came.</summary>
    public IReadOnlyList<MemberInfo> List()
    {
        lock (_lock)
            return ListLocked();
    }

    /// <summary>The number of a client's last input that the program has taken; 0 = none, or too long ago.</summary>
    public long LastInput(string? clientId)
    {
        lock (_lock)
            return _inputs.Find(input => input.ClientId == clientId).Sequence;
    }

    /// <summary>The last inputs of all clients that are remembered, the latest last.</summary>
    internal IReadOnlyList<InputMark> LastInputs()
    {
        lock (_lock)
            return [.. _inputs.Select(input => new InputMark(input.ClientId, input.Sequence))];
    }

    /// <summary>The program has taken an input.</summary>
    internal void OnInputTaken(InputMark mark)
    {
        lock (_lock)
        {
            _inputs.RemoveAll(input => input.ClientId == mark.ClientId);
            _inputs.Add((mark.ClientId, mark.Sequence));
            if (_inputs.Count > MaxInputs)
                _inputs.RemoveAt(0);
        }
    }

    /// <summary>Somebody attaches. The first who wants to drive does.</summary>
    /// <param name="name">What others see.</param>
    /// <param name="access">To view or to drive.</param>
    /// <param name="clientId">Replaces who is there with the same one, see <see cref="AttachOptions.ClientId"/>; null = nobody.</param>
    /// <param name="connection">Its connection's number: what a dead connection has sent may be read after a newer one has attached.</param>
    /// <param name="replaced">Called where this member is replaced; not under a lock.</param>
    /// <exception cref="LinkException">The client id is too long, or a newer connection of the same client is attached.</exception>
    internal Member Join(string name, Access access, string? clientId, long connection, Action replaced)
    {
        if (clientId?.Length > MaxClientId)
            throw new LinkException(FailureCode.BadValue, $"a client id of {clientId.Length} characters, at most {MaxClientId} are accepted");
        Member? old;
        Member member;
        lock (_lock)
        {
            old = clientId is null ? null : _members.Find(one => one.ClientId == clientId);
            if (old?.Connection > connection)
                throw new LinkException(FailureCode.Denied, "a newer connection of this client is attached");
            member = new Member(++_lastId, name, access, clientId, connection, replaced);
            _members.Add(member);
            if (old is not null)
                RemoveLocked(old, member);
            if (member.Wants && (_options.AllDrive || _members.TrueForAll(one => !one.Drives)))
                DriveLocked(member);
            PublishLocked();
        }

        old?.Replaced();
        return member;
    }

    /// <summary>Somebody leaves. Where it drove, the next does: who has asked first, else who came first of those who want to.</summary>
    internal void Leave(Member member)
    {
        lock (_lock)
        {
            if (!_members.Contains(member))
                return;
            RemoveLocked(member, successor: null);
            PublishLocked();
        }
    }

    /// <summary>Somebody asks to drive: it does at once where nobody else does.</summary>
    /// <exception cref="LinkException">It is attached only to view.</exception>
    internal void Request(Member member)
    {
        DemandWants(member);
        lock (_lock)
        {
            if (member.Drives || !_members.Contains(member))
                return;
            if (_members.TrueForAll(one => !one.Drives))
                DriveLocked(member);
            else
                member.Requests = true;
            PublishLocked();
        }
    }

    /// <summary>Who drives hands over to another.</summary>
    /// <exception cref="LinkException">There is no such member, or it is attached only to view.</exception>
    internal void Grant(Member member, int to)
    {
        lock (_lock)
        {
            var next = _members.Find(one => one.Id == to) ?? throw new LinkException(FailureCode.NotFound, $"there is no member {to}");
            DemandWants(next);
            if (!member.Drives || next.Drives)
                return;
            HandOverLocked(next);
        }
    }

    /// <summary>Somebody takes over from whoever drives. Whether it may is the caller's to check.</summary>
    /// <exception cref="LinkException">It is attached only to view.</exception>
    internal void Take(Member member)
    {
        DemandWants(member);
        lock (_lock)
        {
            if (!member.Drives && _members.Contains(member))
                HandOverLocked(member);
        }
    }

    /// <summary>Somebody says its terminal's size, which counts as the session's policy has it.</summary>
    /// <exception cref="LinkException">The session's size is fixed, or the member is attached only to view.</exception>
    internal void Resize(Member member, TerminalSize size)
    {
        DemandWants(member);
        if (_options.Size is SizePolicy.Fixed)
            throw new LinkException(FailureCode.Denied, "this session's terminal keeps the size that it started with");
        lock (_lock)
        {
            member.Size = size;
            if (_options.Size is SizePolicy.Smallest)
                ResizeToSmallestLocked();
            else if (member.Drives)
                _resize(size);
        }
    }

    private static void DemandWants(Member member)
    {
        if (!member.Wants)
            throw new LinkException(FailureCode.Denied, "it is attached only to view");
    }

    private void RemoveLocked(Member member, Member? successor)
    {
        _members.Remove(member);
        if (successor is { Wants: true })
        {
            successor.Size = member.Size;
            successor.Requests = member.Requests;
        }

        if (member.Drives && !_options.AllDrive)
        {
            var next = successor is { Wants: true } ? successor : _members.Find(one => one.Requests) ?? _members.Find(one => one.Wants);
            if (next is not null)
                DriveLocked(next);
        }

        if (_options.Size is SizePolicy.Smallest)
            ResizeToSmallestLocked();
    }

    private void HandOverLocked(Member next)
    {
        foreach (var one in _members)
            one.Drives = _options.AllDrive && one.Wants;
        DriveLocked(next);
        PublishLocked();
    }

    private void DriveLocked(Member member)
    {
        if (!member.Wants)
            return;
        member.Drives = true;
        member.Requests = false;
        if (_options.Size is SizePolicy.Driver && member.Size is { } size)
            _resize(size);
    }

    private void ResizeToSmallestLocked()
    {
        var sizes = _members.Where(one => one.Wants).Select(one => one.Size).OfType<TerminalSize>().ToList();
        if (sizes.Count > 0)
            _resize(new TerminalSize(sizes.Min(size => size.Rows), sizes.Min(size => size.Columns)));
    }

    private void PublishLocked() => _notices.Publish("presence", ListLocked(), Delivery.Latest);

    private List<MemberInfo> ListLocked() =>
        _members.ConvertAll(one => new MemberInfo(one.Id, one.Name, one.Access, one.Drives, one.Requests));

    /// <summary>One of those who are attached.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="name">What others see.</param>
    /// <param name="access">What it attached for.</param>
    /// <param name="clientId">How it is known when it comes back.</param>
    /// <param name="connection">Its connection's number.</param>
    /// <param name="replaced">Called where another takes its place.</param>
    internal sealed class Member(int id, string name, Access access, string? clientId, long connection, Action replaced)
    {
        private volatile bool _drives;

        public int Id { get; } = id;

        public string Name { get; } = name;

        public Access Access { get; } = access;

        public string? ClientId { get; } = clientId;

        public long Connection { get; } = connection;

        /// <summary>Whether it attached to drive.</summary>
        public bool Wants => Access >= Access.Drive;

        /// <summary>Whether it may type now. Read by any thread.</summary>
        public bool Drives
        {
            get => _drives;
            set => _drives = value;
        }

        public bool Requests { get; set; }

        public TerminalSize? Size { get; set; }

        public void Replaced() => replaced();
    }
}
