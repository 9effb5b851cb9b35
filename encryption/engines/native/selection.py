"""Which entries a restore takes: all, or some paths with what lies beneath and the folders above."""

from collections.abc import Iterable
from os import fsencode

from encryption.engines.native.entries import DIR, FILE, HARDLINK, Entry
from encryption.errors import NotInRestorePoint


class Selection:
    """The wanted paths. Read the entries once with `note`, then `finish`; `takes` is right from then on."""

    def __init__(self, paths: Iterable[str | bytes] | None) -> None:
        """None wants everything; raises NotInRestorePoint for an empty list or path."""
        self._wanted: set[bytes] | None = None
        self._missing: set[bytes] = set()
        self._above: set[bytes] = set()
        # Files that are not wanted themselves, but by a hard link that is: the link becomes the file.
        self.stand_ins: dict[bytes, bytes] = {}
        # Further links to such a file, and what they link to instead.
        self.link_to: dict[bytes, bytes] = {}
        self.files = 0
        self.bytes = 0
        if paths is not None:
            self._wanted = {fsencode(path).strip(b"/") for path in paths}
            if not self._wanted or b"" in self._wanted:
                raise NotInRestorePoint("Name the paths to restore, or none at all to restore everything.")
            self._missing = set(self._wanted)
            self._above = {above for path in self._wanted for above in _above(path)}

    def note(self, entry: Entry) -> None:
        """Take notice of the next entry of the restore point."""
        self._missing.discard(entry.path)
        if entry.kind == FILE and self.takes(entry):
            self.files += 1
            self.bytes += entry.size
        elif entry.kind == HARDLINK and self.takes(entry) and not self._is_wanted(entry.target):
            first = self.stand_ins.setdefault(entry.target, entry.path)
            if first != entry.path:
                self.link_to[entry.path] = first

    def finish(self) -> None:
        """Raise NotInRestorePoint if a wanted path was not among the entries."""
        if self._missing:
            names = ", ".join(
                repr(path.decode(errors="backslashreplace")) for path in sorted(self._missing)[:5]
            )
            raise NotInRestorePoint(f"This restore point does not hold {names}.")

    def takes(self, entry: Entry) -> bool:
        """Return whether the entry is restored."""
        return self._is_wanted(entry.path) or (entry.kind == DIR and entry.path in self._above)

    def _is_wanted(self, path: bytes) -> bool:
        if self._wanted is None:
            return True
        return path in self._wanted or any(above in self._wanted for above in _above(path))


def _above(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts))]
