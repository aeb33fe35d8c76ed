namespace FurtherLink.Codecs.Further;

/// <summary>Registers the dialects of Further-Link's two endpoints.</summary>
internal static class FurtherCodecs
{
    /// <summary>Adds "further" (/run) and "run-py" (/run-py).</summary>
    public static LinkBuilder AddFurtherCodecs(this LinkBuilder builder) => builder
        .AddCodec("further", connection => new FurtherCodec(connection))
        .AddCodec("run-py", connection => new RunPyCodec(connection));
}
