using System.Runtime.Versioning;

// Programs are started for real, which only Linux does.
[assembly: SupportedOSPlatform("linux")]
