using System.Security.Claims;
using FurtherLink.Messages;

namespace FurtherLink.Peers;

/// <summary>What a principal may do: one claim, and the one place that reads it.</summary>
public static class Rights
{
    /// <summary>The claim's type; its value is a name of <see cref="Access"/> in lower case ("drive").</summary>
    public const string ClaimType = "furtherlink:access";

    /// <summary>Makes a principal.</summary>
    /// <param name="name">Who, as logs and presence show it.</param>
    /// <param name="access">What it may do.</param>
    public static ClaimsPrincipal Grant(string name, Access access) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.Name, name), new Claim(ClaimType, access.ToString().ToLowerInvariant())], "furtherlink"));

    /// <summary>What a principal may do; without the claim, and for null, nothing.</summary>
    public static Access Of(ClaimsPrincipal? principal) => principal?.FindFirst(ClaimType)?.Value switch
    {
        "view" => Access.View,
        "drive" => Access.Drive,
        "own" => Access.Own,
        _ => Access.None,
    };
}
