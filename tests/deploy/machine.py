"""A bare machine in a temporary folder: real OS users, a PostgreSQL of its own, a proxy with TLS 1.3."""

import contextlib
import datetime
import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from veeamsec import servers
from veeamsec.children import PROJECT
from veeamsec.programs import postgres_folder, runner, valkey_server
from veeamsec.supervisor import free_port


def missing() -> str:
    """What keeps this machine from the test, or nothing."""
    if os.geteuid() != 0:
        return "only root makes OS users"
    for program in ("useradd", "setpriv", "setsid", "nginx"):
        if shutil.which(program) is None:
            return f"{program} is not on this machine"
    if not _passable(PROJECT):
        return "other users cannot read this checkout"
    return ""


@dataclass
class Machine:
    """The folders, names and addresses of one installation."""

    root: Path
    users: str = field(default_factory=lambda: f"vs{secrets.token_hex(3)}")
    https: int = field(default_factory=lambda: free_port(0))
    database: int = field(default_factory=lambda: free_port(0))
    password: str = field(default_factory=lambda: secrets.token_hex(12))

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.https}"

    def deploy(self, script: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one of deploy's scripts as an operator would: as root, in a clean environment."""
        ended = subprocess.run(
            [str(PROJECT / "deploy" / script), *words],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert ended.returncode == 0, f"{script}: {ended.stdout[-2000:]}{ended.stderr[-3000:]}{self.logs()}"
        return ended

    def logs(self) -> str:
        """The last lines of every process."""
        found = sorted((self.root / "log").glob("*.log"))
        return "".join(f"\n-- {path.name}\n{path.read_text()[-1500:]}" for path in found)

    def install(self) -> None:
        """The command of docs/operations.md, with every place inside the temporary folder."""
        url = f"127.0.0.1:{self.database}/veeamsec"
        options = {
            "origin": self.origin,
            "roots": str(self.root / "sources"),
            "mail": f"filemail://{self.home}/mail",
            "home": self.home,
            "in-place": self.root / "venv",
            "etc": self.etc,
            "run": self.root / "run",
            "log": self.root / "log",
            "users": self.users,
            "database-url": f"postgres://{url}",
            "admin-url": f"postgres://postgres:{self.password}@{url}",
            "valkey": valkey_server(),
            "listen": f"127.0.0.1:{self.https}",
            "certificate": self.root / "localhost.pem",
            "certificate-key": self.root / "localhost.key",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self.deploy("install.sh", *words, "--no-systemd")

    def as_user(self, process: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program as one of the OS users."""
        name = f"{self.users}-{process}"
        words = ["setpriv", "--reuid", name, "--regid", name, "--init-groups", *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)

    def remove_users(self) -> None:
        """Take the users and groups away again."""
        for name in ("web", "worker", "enterprise", "beat", "receiver", "broker"):
            subprocess.run(["userdel", f"{self.users}-{name}"], capture_output=True, check=False)
        subprocess.run(["gpasswd", "-d", "www-data", f"{self.users}-web"], capture_output=True, check=False)
        names = ("web", "worker", "enterprise", "beat", "receiver")
        for group in (self.users, *(f"{self.users}-{name}" for name in names)):
            subprocess.run(["groupdel", group], capture_output=True, check=False)


@contextlib.contextmanager
def bare_machine() -> Iterator[Machine]:
    """A machine with PostgreSQL and a certificate, before anything of ours is installed."""
    machine = Machine(Path(tempfile.mkdtemp(prefix="vs-machine-")).resolve())
    machine.root.chmod(0o755)
    (machine.root / "sources").mkdir()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, machine.root, ignore_errors=True)
        stack.callback(machine.remove_users)
        _make_python(machine.root)
        _make_certificate(machine.root)
        stack.enter_context(_postgres(machine))
        yield machine


@contextlib.contextmanager
def proxy(machine: Machine) -> Iterator[None]:
    """The reverse proxy with the site that the installation wrote."""
    conf = machine.root / "proxy.conf"
    logs = f"pid {machine.root}/proxy.pid; error_log {machine.root}/log/proxy.log;"
    conf.write_text(f"user www-data; {logs} events {{}} http {{ include {machine.etc}/nginx.conf; }}\n")
    words = ["nginx", "-c", str(conf), "-g", "daemon off; master_process on;"]
    running = subprocess.Popen(words, preexec_fn=servers.dies_with_parent(signal.SIGTERM))
    try:
        yield
    finally:
        servers.stop(running, signal.SIGTERM)


def _passable(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


def _padded(text: bytes, like: bytes) -> bytes:
    return text.ljust(len(like), b"\0")


def _make_python(root: Path) -> None:
    """A Python like this one, with its packages, where every user reaches it."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base = Path(sys.base_prefix)
    if not _passable(base):
        left_out = shutil.ignore_patterns("site-packages", "test", "__pycache__", "config-*", "idlelib")
        shutil.copytree(base / "lib" / version, root / "python/lib" / version, ignore=left_out, symlinks=True)
        for library in (base / "lib").glob("libpython*.so*"):
            shutil.copy(library, root / "python/lib")
        (root / "python/bin").mkdir()
        program = root / "python/bin" / version
        # Its own library beside it, not one of another patch level that the machine may have.
        place = f"{base}/lib\0".encode()
        program.write_bytes(
            (base / "bin" / version).read_bytes().replace(place, _padded(b"$ORIGIN/../lib", place))
        )
        program.chmod(0o755)
        base = root / "python"
    subprocess.run([base / "bin" / version, "-m", "venv", "--without-pip", root / "venv"], check=True)
    packages = root / "venv/lib" / version / "site-packages"
    (packages / "product.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")


def _make_certificate(folder: Path) -> None:
    key, name = generate_private_key(SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    (folder / "localhost.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "localhost.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "localhost.key").chmod(0o600)


@contextlib.contextmanager
def _postgres(machine: Machine) -> Iterator[None]:
    data, who = machine.root / "postgres", runner()
    programs = postgres_folder(data)
    data.mkdir(mode=0o700)
    who.own(data)
    password = data.with_suffix(".password")
    password.write_text(machine.password)
    who.own(password)
    words = [programs / "initdb", "-D", data, "-U", "postgres", f"--pwfile={password}", "-A", "scram-sha-256"]
    subprocess.run(
        [*words, "-E", "UTF8", "--no-locale", "-N"],
        capture_output=True,
        check=True,
        cwd="/",
        **who.popen_arguments(),
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "port": machine.database,
        "unix_socket_directories": "",
        "fsync": "off",
    }
    words = [programs / "postgres", "-D", data]
    words += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (machine.root / "postgres.log").open("w") as log:
        server = subprocess.Popen(
            words,
            stdout=log,
            stderr=log,
            cwd="/",
            preexec_fn=servers.dies_with_parent(signal.SIGINT),
            **who.popen_arguments(),
        )
    try:
        url = f"postgres://postgres:{machine.password}@127.0.0.1:{machine.database}/postgres"
        for _ in range(150):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(url).close()
                break
            time.sleep(0.2)
        yield
    finally:
        servers.stop(server, signal.SIGINT)
