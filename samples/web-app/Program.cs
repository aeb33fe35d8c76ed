using FurtherLink.Messages;
using FurtherLink.Sessions;

// A web app with FurtherLink in it: clients run programs over /run, and the app runs some of its own.
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddFurtherLink(builder.Configuration.GetSection("FurtherLink")).AddStandardRunners().AddWebSockets();
builder.Services.AddHealthChecks().AddFurtherLink();

var app = builder.Build();
app.MapFurtherLink();
app.MapHealthChecks("/health");

// For whoever may watch programs, and for no page of a foreign origin.
app.MapGuarded("/memory", Access.View, async context =>
{
    var sessions = context.RequestServices.GetRequiredService<SessionTable>();
    var request = new RunRequest("program") { Arguments = ["free", "--mega"] };

    // A browser that goes away ends the program, and a slow one slows it: nothing is heaped up here.
    await using var session = await sessions.StartAsync(request, cancellationToken: context.RequestAborted);
    await foreach (var text in session.Output.ReadTextAsync(cancellationToken: context.RequestAborted))
        await context.Response.WriteAsync(text, context.RequestAborted);
});

app.Run();
