namespace FurtherLink.Load.Measures;

/// <summary>One line of the table.</summary>
/// <param name="What">What is measured.</param>
/// <param name="Unit">In what.</param>
/// <param name="Must">The ratio (or, where it stands alone, the figure) that has to be kept; null: for orientation.</param>
/// <param name="Aim">The one that is aimed at.</param>
/// <param name="MoreIsBetter">Whether ours should be the larger one.</param>
internal sealed record Row(string What, string Unit, double? Must = null, double? Aim = null, bool MoreIsBetter = false);
