"""A token of SoftHSM2 in a folder of its own, which can be taken away and brought back."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PIN = "4711-2266"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")

_COMMAND = ["softhsm2-util", "--init-token", "--free", "--label", "veeamsec"]


def missing() -> str:
    """Say why there is no token to test with; the empty text where there is."""
    if shutil.which("softhsm2-util") is None or not any(Path(one).exists() for one in MODULES):
        return "SoftHSM2 is not on this machine"
    return ""


@dataclass
class Token:
    folder: Path
    module: str

    @property
    def address(self) -> str:
        return f"pkcs11:token=veeamsec?module-path={self.module}&pin-source=file:{self.pin}"

    @property
    def pin(self) -> Path:
        return self.folder / "pin"

    def away(self) -> None:
        """Make the token unreadable, as a pulled one is."""
        (self.folder / "tokens").rename(self.folder / "pulled")

    def back(self) -> None:
        (self.folder / "pulled").rename(self.folder / "tokens")


def make(folder: Path) -> Token:
    """Make a token; SOFTHSM2_CONF must name `folder`/softhsm2.conf."""
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    (folder / "pin").write_text(PIN + "\n")
    (folder / "pin").chmod(0o600)
    subprocess.run(
        [
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            "veeamsec",
            "--pin",
            PIN,
            "--so-pin",
            "8899-1",
        ],
        env={"SOFTHSM2_CONF": str(folder / "softhsm2.conf"), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        timeout=30,
    )
    return Token(folder, next(one for one in MODULES if Path(one).exists()))
