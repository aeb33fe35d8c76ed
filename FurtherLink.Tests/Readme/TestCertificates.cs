using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Tests.Readme;

/// <summary>How tests talk to a host that made its own certificate, as "curl -k" and "wscat -n" do.</summary>
internal static class TestCertificates
{
    [SuppressMessage("Security", "MA0039:Do not write your own certificate validation method", Justification = "The host of a test makes its own certificate.")]
    [SuppressMessage("Security", "CA5400:HttpClient may be created without enabling CheckCertificateRevocationList", Justification = "A self-signed certificate is on no list.")]
    public static HttpClientHandler TrustingHandler() =>
        new() { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
}
