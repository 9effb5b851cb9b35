"""Trees for the tests: made odd, and described in a form that two of them can be compared in."""

import os
import shutil
import stat
from pathlib import Path

ODD_NAMES = [
    b"plain.txt",
    b"space in name",
    b"quote\"'\\",
    b"new\nline",
    "caf\u00e9".encode(),
    "cafe\u0301".encode(),
    b"latin-\xe9",
    b"\xff\xfe",
    b"-rf",
    b"tab\there",
    "\u202egnp.exe".encode(),
    b"x" * 255,
]


def make_odd_tree(root: Path) -> None:
    """Fill `root` with what file trees hold in real life."""
    root.mkdir()
    at = os.fsencode(root)
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(at + b"/" + name)).write_bytes(name * (number * 37))
    (root / "a").mkdir()
    (root / "a-b").write_bytes(b"sorts between a and a/x")
    (root / "a" / "x").write_bytes(os.urandom(2_500_000))
    (root / "a" / "empty").write_bytes(b"")
    (root / "a" / "compressible").write_bytes(b"all work and no play " * 100_000)
    (root / "a" / "block").write_bytes(os.urandom(1024 * 1024))
    (root / "empty folder").mkdir()
    deep = root / "deep"
    for number in range(30):
        deep = deep / f"level {number}"
    deep.mkdir(parents=True)
    (deep / "bottom").write_bytes(b"found")
    with (root / "sparse").open("wb") as file:
        file.seek(5 * 1024 * 1024 + 17)
        file.write(b"end of a hole")
        file.truncate(9 * 1024 * 1024)
    (root / "zeros").write_bytes(bytes(1024 * 1024 + 5))
    _make_links_and_modes(root)
    os.setxattr(root / "a", "user.colour", b"blue\x00")
    os.setxattr(root / "a" / "empty", "user.\u00fcber", b"\xff")
    os.utime(root / "a" / "empty", ns=(0, -1_500_000_001))
    os.utime(root / "empty folder", ns=(0, 1_234_567_890_123_456_789))
    os.utime(root / "link", ns=(0, 999_999_999), follow_symlinks=False)


def _make_links_and_modes(root: Path) -> None:
    os.link(root / "a" / "x", root / "hard link")
    os.link(root / "a" / "x", root / "0 before")
    (root / "link").symlink_to("a/x")
    (root / "dangling").symlink_to("/nowhere/at all")
    (root / "up").symlink_to("..")
    (root / "mode 0").write_bytes(b"secret")
    # Nobody but root could read it back to compare.
    (root / "mode 0").chmod(0 if os.geteuid() == 0 else 0o400)
    (root / "sticky").mkdir()
    (root / "sticky").chmod(0o1777)
    (root / "read only").mkdir()
    (root / "read only" / "file").write_bytes(b"kept")
    (root / "read only").chmod(0o555)


def change(root: Path) -> None:
    """Change an odd tree in every way that an increment must notice."""
    with (root / "a" / "x").open("r+b") as file:
        file.seek(1_500_000)
        file.write(b"changed in the middle")
    with (root / "a" / "block").open("ab") as file:
        file.write(b"grown")
    os.truncate(root / "a" / "compressible", 1_200_000)
    (root / "plain.txt").unlink()
    (root / "plain.txt").mkdir()
    (root / "new").write_bytes(b"new")
    (root / "-rf").rename(root / "renamed")
    shutil.rmtree(root / "empty folder")


def describe(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Return everything about a tree that a restore must bring back, by path."""
    found: dict[bytes, tuple[object, ...]] = {}
    top = os.fsencode(root)
    numbers: dict[int, bytes] = {}
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(folders + files):
            path = folder + b"/" + name
            found[path.removeprefix(top + b"/")] = _facts(path, numbers)
    return found


def _facts(path: bytes, numbers: dict[int, bytes]) -> tuple[object, ...]:
    status = os.lstat(path)
    owner = (status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        leads_to = os.readlink(path)  # noqa: PTH115 - bytes
        return "link", leads_to, status.st_mtime_ns, owner
    xattrs = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    facts = (stat.S_IMODE(status.st_mode), status.st_mtime_ns, owner, xattrs)
    if stat.S_ISDIR(status.st_mode):
        return "folder", *facts
    return "file", Path(os.fsdecode(path)).read_bytes(), status.st_nlink, *facts
