namespace FurtherLink.Load.Measures;

/// <summary>A <see cref="IMeasure"/> of two peers by the same code.</summary>
/// <param name="name">What it is chosen by.</param>
/// <param name="ours">Starts ours.</param>
/// <param name="other">Starts the other.</param>
/// <param name="rows">The lines that it fills.</param>
/// <param name="round">One round of a peer: a figure for each row.</param>
internal sealed class Comparison(string name, Func<Peers.IPeer> ours, Func<Peers.IPeer> other, IReadOnlyList<Row> rows, Func<Peers.IPeer, double[]> round) : IMeasure
{
    private Peers.IPeer? _ours;
    private Peers.IPeer? _other;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string? Against => _other?.Name;

    /// <inheritdoc/>
    public IReadOnlyList<Row> Rows => rows;

    /// <inheritdoc/>
    public void Prepare()
    {
        _ours = ours();
        _other = other();
    }

    /// <inheritdoc/>
    public double[] Ours() => round(_ours!);

    /// <inheritdoc/>
    public double[] Other() => round(_other!);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ours?.Dispose();
        _other?.Dispose();
    }
}
