namespace FurtherLink.Load.Measures;

/// <summary>A measurement of this project's server, beside something else or alone.</summary>
internal interface IMeasure : IDisposable
{
    /// <summary>What it is chosen by.</summary>
    string Name { get; }

    /// <summary>What ours is held against; null: nothing.</summary>
    string? Against { get; }

    /// <summary>The lines of the table that it fills.</summary>
    IReadOnlyList<Row> Rows { get; }

    /// <summary>Starts what is measured.</summary>
    void Prepare();

    /// <summary>One round of ours: a figure for each row.</summary>
    double[] Ours();

    /// <summary>One round of the other.</summary>
    double[] Other();
}
