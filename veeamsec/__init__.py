"""The house: settings, doors to the web, the supervisor and the private servers."""

__version__ = "0.1.0"
