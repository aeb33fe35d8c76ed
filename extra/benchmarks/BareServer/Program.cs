// The smallest server that answers GET /status, and takes a body into a file: what the host is measured beside.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(static options => options.Limits.MaxRequestBodySize = null);
var app = builder.Build();
app.MapGet("/status", static () => "ok");
app.MapPost("/upload", static async (HttpRequest request) =>
{
    var path = Path.GetTempFileName();
    try
    {
        // Not a write for every 4 KiB that Kestrel hands out.
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 64 * 1024);
        await request.Body.CopyToAsync(file);
    }
    finally
    {
        File.Delete(path);
    }
    return "ok";
});
await app.RunAsync();
