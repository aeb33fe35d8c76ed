using System.Security.Claims;
using FurtherLink.Messages;

namespace FurtherLink.Security;

/// <summary>What a principal may do, for those who make principals by claims of their own.</summary>
public static class Rights
{
    /// <summary>The claim's type; its value is a name of <see cref="Access"/> in lower case ("drive").</summary>
    public const string ClaimType = "furtherlink:access";

    /// <summary>Makes a principal that may run programs as any user and sees all sessions; <see cref="Security.Grant"/> says more.</summary>
    /// <param name="name">Who, as logs and presence show it.</param>
    /// <param name="access">What it may do.</param>
    public static ClaimsPrincipal Grant(string name, Access access) => new Grant(name, access).ToPrincipal();

    /// <summary>What a principal may do; without the claim, and for null, nothing.</summary>
    public static Access Of(ClaimsPrincipal? principal) => Security.Grant.Of(principal).Access;

    /// <summary>What a claim's value says.</summary>
    internal static Access Read(string? value) => value switch
    {
        "view" => Access.View,
        "drive" => Access.Drive,
        "own" => Access.Own,
        _ => Access.None,
    };
}
