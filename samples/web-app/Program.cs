using FurtherLink.Messages;
using FurtherLink.Sessions;

// FurtherLink in a web app: its protocol for clients, and programs for the app's own endpoints.
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddFurtherLink(builder.Configuration.GetSection("FurtherLink")).AddStandardRunners().AddWebSockets();
builder.Services.AddHealthChecks().AddFurtherLink();

var app = builder.Build();
app.MapFurtherLink();
app.MapHealthChecks("/health");
app.MapPost("/python", RunPythonAsync);
app.Run();

// The body is a program; the answer is what it prints, as it prints it.
static async Task RunPythonAsync(HttpContext context, SessionTable sessions)
{
    using var body = new StreamReader(context.Request.Body);
    var request = new RunRequest("python3") { Code = await body.ReadToEndAsync(context.RequestAborted) };
    await using var session = await sessions.StartAsync(request, cancellationToken: context.RequestAborted);
    await foreach (var text in session.Output.ReadTextAsync(cancellationToken: context.RequestAborted))
    {
        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    await context.Response.WriteAsync($"exit code {(await session.Exited).Code}\n", context.RequestAborted);
}
