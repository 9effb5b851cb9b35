"""Keysets, backup servers, recovery cases and custody over REST; what they decide, a request decides."""
