"""Who keeps the master keys, as the processes that hold them say."""

from collections.abc import Mapping

from django.core.cache import cache

PROCESSES = ("worker", "enterprise")


def keepers() -> Mapping[str, str | None]:
    """Return `files`, `systemd`, `pkcs11` or `kmip` for each process; None while it is silent."""
    found = cache.get_many([keeper_at(process) for process in PROCESSES])
    return {process: found.get(keeper_at(process)) for process in PROCESSES}


def keeper_at(process: str) -> str:
    """Return where in the cache a process says who keeps its key."""
    return f"keys:{process}"
