"""The version of this package, which is that of the server it comes with."""

__version__ = "6.0.0"
