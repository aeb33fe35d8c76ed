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
        await using var file = File.Create(path);
        await request.Body.CopyToAsync(file);
    }
    finally
    {
        File.Delete(path);
    }
    return "ok";
});
await app.RunAsync();
