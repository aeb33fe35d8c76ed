namespace FurtherLink.Terminals;

/// <summary>The columns that tabs lead to, at first every eighth.</summary>
internal sealed class TabStops
{
    private const int Width = 8;
    // As wide as a screen can be, so that they stay when it grows.
    private const int MaxColumns = 1000;

    private readonly bool[] _stops = new bool[MaxColumns];

    public bool this[int column]
    {
        get => _stops[column];
        set => _stops[column] = value;
    }

    public static bool IsInitial(int column) => column % Width == 0;

    public void Reset()
    {
        for (var i = 0; i < _stops.Length; i++)
            _stops[i] = IsInitial(i);
    }

    public void Clear() => Array.Clear(_stops);

    /// <summary>The next stop, or the last column.</summary>
    public int After(int column, int last)
    {
        do
            column++;
        while (column < last && !_stops[column]);
        return column;
    }

    /// <summary>The stop before, or the first column.</summary>
    public int Before(int column)
    {
        do
            column--;
        while (column > 0 && !_stops[column]);
        return column;
    }
}
