"""Which provider keeps the master key: one address in VEEAMSEC_KEYS, with nothing secret in it.

    files                                                                          (the default)
    systemd
    pkcs11:token=LABEL;object=KEY?module-path=/….so&pin-source=file:/…             (RFC 7512)
    kmip://HOST:5696/NAME?ca=/….pem&cert=/….pem&key=/….key

Without `object` or NAME the key is called `veeamsec-` and the name of the process's key folder. This package
knows no Django, so it reads the environment itself.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from encryption.crypto.providers import sources
from encryption.crypto.providers.guards import Guard
from encryption.crypto.providers.hsm import Token
from encryption.crypto.providers.kmip import Server
from encryption.crypto.providers.kmip.server import PORT
from encryption.errors import KeyMaterialError, KeysAway

SETTING = "VEEAMSEC_KEYS"
FILES, SYSTEMD = "files", "systemd"

_FORMS = "files, systemd, pkcs11:… or kmip://…"


def address() -> str:
    """Return what the environment says."""
    return os.environ.get(SETTING, "") or FILES


def keeper() -> str:
    """Return who keeps the master key here: files, systemd, pkcs11 or kmip."""
    return kind_of(address())


def kind_of(said: str) -> str:
    """Return the provider's name in an address: files, systemd, pkcs11 or kmip."""
    return said.partition(":")[0]


def guard_of(said: str, folder: Path) -> Guard | None:
    """Return the guard that an address names for a key folder; None for files and systemd.

    Raises ValueError with what is wrong, never with a value.
    """
    if said in (FILES, SYSTEMD):
        return None
    label = f"veeamsec-{folder.name}"
    if kind_of(said) == Token.kind:
        return _token(said, label)
    if kind_of(said) == Server.kind:
        return _server(said, label)
    raise ValueError(f"is none of {_FORMS}")


def faults(said: str) -> list[str]:
    """Return everything that is wrong with an address and can be seen without the device or server.

    What its holder alone may read (a PIN, a certificate's key) is read as it will be later.
    """
    try:
        guard = guard_of(said, Path("worker"))
    except ValueError as error:
        return [str(error)]
    if said == SYSTEMD and not os.environ.get(sources.CREDENTIALS):
        return [f"${sources.CREDENTIALS} is not set: name the credentials in the unit"]
    if isinstance(guard, Token):
        return [*_missing(Path(guard.module)), *_unread(guard.pin)]
    if isinstance(guard, Server):
        return [*_missing(guard.authority, guard.certificate), *_unread(f"file:{guard.key}")]
    return []


def _missing(*files: Path) -> list[str]:
    return [f"{file} is missing" for file in files if not file.exists()]


def _unread(source: str) -> list[str]:
    try:
        sources.read(source)
    except (KeyMaterialError, KeysAway) as error:
        return [error.message]
    return []


def _token(said: str, label: str) -> Token:
    path, _, query = said.partition(":")[2].partition("?")
    named = _attributes(path.split(";"), {"token", "object"})
    asked = _attributes(query.split("&"), {"module-path", "pin-source"})
    for name, found in (("token", named), ("module-path", asked), ("pin-source", asked)):
        if not found.get(name):
            raise ValueError(f"names no {name}")
    if fault := sources.fault(asked["pin-source"]):
        raise ValueError(f"has a pin-source that {fault}")
    if not asked["module-path"].startswith("/"):
        raise ValueError("has a module-path that is not absolute")
    return Token(asked["module-path"], named["token"], named.get("object") or label, asked["pin-source"])


def _attributes(parts: list[str], known: set[str]) -> dict[str, str]:
    found = {}
    for part in filter(None, parts):
        name, _, value = part.partition("=")
        if name == "pin-value":
            raise ValueError("holds a PIN: name a file with pin-source")
        if name not in known:
            raise ValueError(f"has an attribute {name[:40]}, which is none of {', '.join(sorted(known))}")
        found[name] = unquote(value)
    return found


def _server(said: str, label: str) -> Server:
    parts = urlsplit(said)
    asked: Mapping[str, str] = dict(parse_qsl(parts.query))
    if parts.password or parts.username:
        raise ValueError("holds an account: a certificate alone signs in")
    if not parts.hostname:
        raise ValueError("names no server")
    files = {name: asked.get(name, "") for name in ("ca", "cert", "key")}
    for name, file in files.items():
        if not file.startswith("/"):
            raise ValueError(f"names no file for {name}")
    return Server(
        parts.hostname,
        parts.port or PORT,
        authority=Path(files["ca"]),
        certificate=Path(files["cert"]),
        key=Path(files["key"]),
        label=parts.path.strip("/") or label,
    )
