namespace FurtherLink.Tests.Support;

/// <summary>Soak tests have a short form for every run and a long one, which FURTHERLINK_TEST_LONG=1 asks for.</summary>
internal static class SoakSize
{
    public static int Of(int shortForm, int longForm) => Environment.GetEnvironmentVariable("FURTHERLINK_TEST_LONG") == "1" ? longForm : shortForm;
}
