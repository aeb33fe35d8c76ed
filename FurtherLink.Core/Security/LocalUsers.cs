using System.Globalization;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;

namespace FurtherLink.Security;

/// <summary>What users of this device may do, who connect from it.</summary>
internal static class LocalUsers
{
    /// <summary>
    /// Root and this process's own user may do everything, as anybody. Anybody else may run and upload as themselves alone, and see what they have
    /// started.
    /// </summary>
    /// <param name="uid">The user's id.</param>
    /// <exception cref="LinkException"><see cref="FailureCode.Denied"/>: this process cannot run programs as that user.</exception>
    [SupportedOSPlatform("linux")]
    public static Grant GrantTo(uint uid)
    {
        var name = UserAccount.TryFind(uid)?.Name ?? uid.ToString(CultureInfo.InvariantCulture);
        if (uid == 0 || uid == UserAccount.Current.Uid)
            return new Grant(name, Access.Own) { Id = IdOf(name), IsOwner = true };
        return UserAccount.Current.Uid == 0
            ? new Grant(name, Access.Drive) { Id = IdOf(name), Users = [name], SeesOthers = false }
            : throw new LinkException(
                FailureCode.Denied, $"you are \"{name}\": only \"{UserAccount.Current.Name}\", whose server this is, and root may use it without a token");
    }

    private static string IdOf(string name) => "user:" + name;
}
