"""Secrets for commands: typed at the terminal, unseen, or read from a descriptor; never from an argument."""

import getpass
import os
import sys

from django.core.management.base import CommandError

from encryption.crypto.secret import Secret, check_password, read_password

# 1024 characters of at most four bytes, and a line end.
LONGEST = 4097


def ask(prompt: str) -> str:
    """Return one line: unseen from a terminal, else the next line of the standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline(LONGEST).removesuffix("\n")


def new_passphrase(descriptor: int | None) -> Secret:
    """Return a new pass phrase, typed twice at a terminal. CommandError when the two differ."""
    if descriptor is not None:
        return check_password(_read(descriptor))
    typed = ask("Pass phrase of this backup: ")
    if sys.stdin.isatty() and typed != ask("Once more: "):
        raise CommandError("The two are not the same.")
    return check_password(typed)


def known_passphrase(descriptor: int | None) -> Secret:
    """Return the pass phrase of a backup that exists."""
    return read_password(ask("Pass phrase of this backup: ") if descriptor is None else _read(descriptor))


def _read(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LONGEST).removesuffix(b"\n").decode(errors="replace")
