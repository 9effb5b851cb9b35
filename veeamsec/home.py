"""VEEAMSEC_HOME: its folders, its secrets' files, and where its private servers live."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

# A Unix socket's path ends at 107 bytes; PostgreSQL names its own ".s.PGSQL.5432".
SOCKET_PATH_LIMIT = 107
SOCKET_NAME = ".s.PGSQL.5432"
# Servers never run as root: their data stands where the unprivileged user reaches it.
ROOTS_FOLDER = Path("/var/lib/veeamsec")
ROLES = ("owner", "web", "worker")


class HomeError(Exception):
    """The home cannot be used as it is; the text says why and what to do."""


@dataclass(frozen=True)
class Home:
    """The paths below one VEEAMSEC_HOME."""

    path: Path

    @property
    def keys(self) -> Path:
        """Key folders, one a process."""
        return self.path / "keys"

    @property
    def logs(self) -> Path:
        """Output of every child."""
        return self.path / "logs"

    @property
    def data(self) -> Path:
        """Data folders of the private servers."""
        name = self._private_name()
        return ROOTS_FOLDER / name / "data" if os.geteuid() == 0 and name else self.path / "servers"

    @property
    def sockets(self) -> Path:
        """Folder of the private servers' sockets."""
        name = self._private_name()
        if os.geteuid() == 0 and name:
            return ROOTS_FOLDER / name / "sockets"
        near = self.path / "servers" / "sockets"
        if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_PATH_LIMIT or not name:
            return near
        # Not tempfile.gettempdir(): every process must find the same folder, whatever its TMPDIR.
        return Path("/tmp") / f"veeamsec-{name}"  # noqa: S108

    def passfile(self, role: str) -> Path:
        """The libpq password file of one database role."""
        return self.keys / role / "pgpass"

    def make(self) -> None:
        """Create what is missing: folders 0700, database passwords, Django's secret key. Raises HomeError."""
        try:
            self._make()
        except PermissionError as error:
            raise HomeError(
                f"{self.path} belongs to another user ({error}); name another VEEAMSEC_HOME."
            ) from error

    def _make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("", "web", "worker", "enterprise", "enterprise/keysets", "owner", "receiver", "public"):
            (self.keys / name).mkdir(exist_ok=True, mode=0o700)
        for name in ("logs", "mail", "checkpoints", "repositories", "restores"):
            (self.path / name).mkdir(exist_ok=True, mode=0o700)
        write_once(self.path / "servers.id", secrets.token_hex(6))
        for role in ROLES:
            lines = [passfile_line(f"veeamsec_{role}", secrets.token_urlsafe(32))]
            if role == "owner":
                lines.append(passfile_line("postgres", secrets.token_urlsafe(32)))
            write_once(self.passfile(role), "".join(lines))
        # Each comes as another's role, and opens none of the other's files.
        for process, role in (("receiver", "web"), ("enterprise", "worker")):
            user = f"veeamsec_{role}"
            write_once(self.passfile(process), passfile_line(user, password_of(self.passfile(role), user)))
        write_once(self.keys / "web" / "secret_key", secrets.token_urlsafe(50))

    def _private_name(self) -> str:
        # Random and kept in the home, so that a new home at an old path never meets the old one's data.
        try:
            return (self.path / "servers.id").read_text().strip()
        except FileNotFoundError:
            return ""


def passfile_line(user: str, password: str) -> str:
    """One line for any host and database."""
    return f"*:*:*:{user}:{password}\n"


def password_of(passfile: Path, user: str) -> str:
    """The password of `user` in a password file of ours; KeyError when it is not there."""
    for line in passfile.read_text().splitlines():
        *_, name, password = line.split(":", 4)
        if name == user:
            return password
    raise KeyError(user)


def write_once(path: Path, text: str) -> None:
    """Write a private file (0600) unless it is there; never half of it."""
    if path.exists():
        return
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(part).rename(path)
