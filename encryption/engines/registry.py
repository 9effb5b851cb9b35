"""From a repository's engine name to its engine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from encryption.engines.base import Engine
from encryption.engines.native.engine import NativeEngine
from encryption.errors import UnknownEngine

_ENGINES: Mapping[str, Callable[[Path], Engine]] = {"native": NativeEngine}


class HasEngine(Protocol):
    """What is asked of a repository: which engine writes it, and where it is."""

    @property
    def engine(self) -> str:
        """Return the engine's name."""

    @property
    def location(self) -> str:
        """Return where the engine finds it."""


def engine_for(repository: HasEngine) -> Engine:
    """Return the engine of `repository`, bound to its place; raises UnknownEngine."""
    if repository.engine == "veeam":
        raise UnknownEngine(
            "This is a Veeam server: Veeam itself makes its backups and opens them, and no engine here does."
        )
    try:
        return _ENGINES[repository.engine](Path(repository.location))
    except KeyError:
        raise UnknownEngine(
            f"There is no backup engine named {repository.engine!r} in this version."
        ) from None
