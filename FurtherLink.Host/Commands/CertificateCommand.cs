using System.CommandLine;
using FurtherLink.Host.Certificates;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;

namespace FurtherLink.Host.Commands;

/// <summary>"furtherlink cert": shows what a person needs to trust this host's certificate, and exports it. It is made where there is none.</summary>
internal static class CertificateCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("cert", "Show this host's certificate, and what others need to trust it; it is made where there is none.");
        var export = new Option<string>("--export") { Description = "Write the certificate, without its key, to this file in PEM form; \"-\" = to standard output.", HelpName = "file" };
        command.Add(export);
        var options = new SettingOptions(command, SettingUse.Certificate);
        command.SetAction(async (result, cancellationToken) =>
        {
            using var configuration = options.Load(result);
            var settings = ServeOptions.Read(configuration);
            var source = CertificateSource.Find(settings);
            using var certificate = source.Load(TimeProvider.System);
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(export) is not { } file)
                await output.WriteAsync(CertificateText.Describe(certificate, source.IsOwn, settings));
            else if (file == "-")
                await output.WriteAsync(certificate.ToPem());
            else
                await ExportAsync(file, certificate, cancellationToken);
            if (certificate.Warning(TimeProvider.System) is { } warning)
                await result.InvocationConfiguration.Error.WriteLineAsync($"furtherlink: {warning}");
            return 0;
        });
        return command;
    }

    private static async Task ExportAsync(string file, ServerCertificate certificate, CancellationToken cancellationToken)
    {
        try
        {
            if (new[] { certificate.Path, certificate.KeyPath }.Select(Path.GetFullPath).Contains(Path.GetFullPath(file), StringComparer.Ordinal))
                throw new ConsoleException(ExitCodes.Usage, $"cert: {file} is the host's own; say another file to export to.");
            await File.WriteAllTextAsync(file, certificate.ToPem(), cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ConsoleException(ExitCodes.Refused, $"cert: {file} cannot be written: {e.Message}");
        }
    }
}
