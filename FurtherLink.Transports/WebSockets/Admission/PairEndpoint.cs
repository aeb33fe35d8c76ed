using FurtherLink.Security.Pairing;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Gives a token for a code that the device shows: /pair.</summary>
/// <param name="desk">Pairs.</param>
internal sealed class PairEndpoint(PairingDesk desk)
{
    private const string Form = """{"code": TEXT, "name": TEXT}""";

    /// <summary>Pairs.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var texts = await HttpBody.ReadTextsAsync(context, Form).ConfigureAwait(false);
        if (!texts.TryGetValue("code", out var code) || !texts.TryGetValue("name", out var name))
            throw HttpBody.Mistake(Form);
        var token = await desk.PairAsync(code, name, LocalEnd.CallerOf(context), context.RequestAborted).ConfigureAwait(false);
        await HttpAnswers.JsonAsync(context, writer =>
        {
            writer.WriteString("token", token.Text);
            writer.WriteString("name", token.Info.Name);
            writer.WriteString("access", token.Info.Access.ToString().ToLowerInvariant());
        }).ConfigureAwait(false);
    }
}
