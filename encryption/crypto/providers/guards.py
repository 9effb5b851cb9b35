"""What may guard a master key: a device or service that wraps it and alone unwraps it."""

from typing import Protocol


class Guard(Protocol):
    """An HSM or a key management server, reached anew for each act.

    Nothing is held between two acts: a token that was pulled or a server that was stopped is noticed at
    once, and one that came back is found.
    """

    @property
    def kind(self) -> str:
        """Return the name that stands in the key's file; a name is never reused."""
        ...

    def wrap(self, key: bytes) -> bytes:
        """Return what the file keeps of a key of 32 bytes. Raises KeysAway."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key of 32 bytes. Raises KeysAway, KeyMaterialError where the bytes were altered."""
        ...
