namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Which lines of a file are asked for, counted from 1.</summary>
/// <param name="Requested">The first line as it was asked for.</param>
/// <param name="End">The last line; null = as many as there may be.</param>
/// <param name="Most">The most lines to give.</param>
internal readonly record struct LineRange(long Requested, long? End, int Most)
{
    /// <summary>The most lines that one answer holds.</summary>
    public const int Limit = 2000;

    /// <summary>The first line to give.</summary>
    public long First => Math.Max(1, Requested);

    /// <summary>The last line to give, where there are as many.</summary>
    public long Last => Math.Min(End ?? long.MaxValue, First + Most - 1);

    /// <summary>What a request asks for; null where it asks for the whole file.</summary>
    /// <exception cref="Messages.LinkException">An argument is no number, or no count.</exception>
    public static LineRange? Read(PortacodeRequest request)
    {
        var start = request.Integer("start_line", int.MinValue, int.MaxValue);
        var end = request.Integer("end_line", int.MinValue, int.MaxValue);
        var most = request.Integer("max_lines", 1);
        return start is null && end is null && most is null ? null : new LineRange(start ?? 1, end, (int)Math.Min(most ?? Limit, Limit));
    }
}
