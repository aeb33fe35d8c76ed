namespace FurtherLink.Terminals;

/// <summary>The numbers of a control sequence: at most 32, each at most 65535; what goes beyond is dropped.</summary>
internal sealed class VtParameters
{
    public const int MaxCount = 32;
    private const int MaxValue = 65535;
    private const int Missing = -1;

    private readonly int[] _values = new int[MaxCount];
    // Bit i: number i was attached to the one before it by a colon.
    private uint _attached;

    /// <summary>How many there are; one that is missing counts, so at least 1.</summary>
    public int Count { get; private set; } = 1;

    /// <summary>Whether some were dropped.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>A number, 0 where it is missing.</summary>
    public int this[int index] => index < Count ? Math.Max(0, _values[index]) : 0;

    public bool IsMissing(int index) => index >= Count || _values[index] == Missing;

    public bool IsAttached(int index) => (_attached & (1u << index)) != 0;

    /// <summary>A number that counts something: 1 where it is missing or 0.</summary>
    public int Amount(int index = 0) => Math.Max(1, this[index]);

    public void Clear()
    {
        Count = 1;
        _values[0] = Missing;
        _attached = 0;
        Overflowed = false;
    }

    public void Digit(int digit)
    {
        if (Overflowed)
            return;
        ref var value = ref _values[Count - 1];
        value = Math.Min(MaxValue, (Math.Max(0, value) * 10) + digit);
    }

    /// <summary>Begins the next number.</summary>
    public void Next(bool attached)
    {
        if (Count == MaxCount)
        {
            Overflowed = true;
            return;
        }

        _values[Count] = Missing;
        if (attached)
            _attached |= 1u << Count;
        Count++;
    }
}
