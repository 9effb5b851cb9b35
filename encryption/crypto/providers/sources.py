"""Small files that a key provider is reached with: a PIN, a certificate's key, a credential of systemd."""

import os
from pathlib import Path

from encryption.crypto.providers.files import FileKeys
from encryption.errors import KeysAway

CREDENTIALS = "CREDENTIALS_DIRECTORY"

_LARGEST = 16 * 1024


def credential(name: str) -> bytes:
    """Return a credential that systemd gave this unit. Raises KeysAway.

    Its folder is the unit's alone, in memory and read-only; modes show the mask of an ACL, so they are not
    asked (systemd.exec(5), "Credentials").
    """
    folder = os.environ.get(CREDENTIALS, "")
    if not folder or "/" in name or name in ("", ".", ".."):
        raise KeysAway(
            f"There is no credential {name}: ${CREDENTIALS} is not set. Name it in the unit with"
            f" LoadCredentialEncrypted={name}:…"
        )
    try:
        with (Path(folder) / name).open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise KeysAway(
            f"systemd gave this unit no credential {name} ({error.strerror}): name it in the unit with"
            f" LoadCredentialEncrypted={name}:…"
        ) from error


def read(source: str) -> bytes:
    """Return what lies at `file:/path`, 0600 and this user's own, or `credential:name`.

    Raises KeyMaterialError if it is missing, a link, or open to others; KeysAway without the credential.
    """
    form, _, place = source.partition(":")
    if form == "credential":
        return credential(place)
    path = Path(place)
    return FileKeys(path.parent).read(path.name)


def fault(source: str) -> str | None:
    """Return what is wrong with such an address before it is read; None where nothing is."""
    form, _, place = source.partition(":")
    if form == "credential" and place and "/" not in place:
        return None
    if form == "file" and place.startswith("/"):
        return None
    return "is neither file:/path nor credential:name"
