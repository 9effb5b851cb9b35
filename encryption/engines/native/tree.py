"""A folder whose inside is reached step by step through open descriptors, never following a link."""

import os
from collections import OrderedDict
from pathlib import Path

# Enough for one path and its neighbours; every open folder costs a descriptor.
_KEPT = 64
_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def stands_at(fd: int, path: Path) -> bool:
    """Return whether an open folder is the one at `path` without a link on the way.

    Between a path's judgement and its opening somebody may bend a folder above it. Where the system cannot
    say where an open folder is, the judgement alone holds.
    """
    try:
        return os.readlink(f"/proc/self/fd/{fd}") == os.path.abspath(path)  # noqa: PTH100, PTH115
    except OSError:
        return True


class OpenTree:
    """Descriptors of the folders beneath an open root, which it owns; the last used ones are kept."""

    def __init__(self, root: int) -> None:
        self.root = root
        self._kept: OrderedDict[bytes, int] = OrderedDict()

    def folder(self, path: bytes) -> int:
        """Return a descriptor of the folder `path`, valid until the next call; raises OSError for a link."""
        known, missing = path, []
        while known and known not in self._kept:
            known, _, name = known.rpartition(b"/")
            missing.append(name)
        fd = self._kept[known] if known else self.root
        if known:
            self._kept.move_to_end(known)
        for name in reversed(missing):
            known = known + b"/" + name if known else name
            fd = self._kept[known] = os.open(name, _DIR, dir_fd=fd)
            if len(self._kept) > _KEPT:
                os.close(self._kept.popitem(last=False)[1])
        return fd

    def place(self, path: bytes) -> tuple[int, bytes]:
        """Return the descriptor of the folder that holds `path`, and the name in it."""
        parent, _, name = path.rpartition(b"/")
        return self.folder(parent), name

    def close(self) -> None:
        """Close all, the root too."""
        for fd in self._kept.values():
            os.close(fd)
        self._kept.clear()
        os.close(self.root)
