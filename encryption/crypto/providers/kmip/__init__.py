"""A key management server that speaks KMIP 1.4 (OASIS), by the few operations that a master key needs."""

from encryption.crypto.providers.kmip.server import Server

__all__ = ["Server"]
