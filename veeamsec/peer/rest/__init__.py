"""The operations of the REST API, by what they are about; importing this enters them all."""

from veeamsec.peer.rest import (
    authorization,
    backups,
    configuration,
    infrastructure,
    jobs,
    kms,
    passwords,
    security,
    sessions,
    tokens,
)

__all__ = [
    "authorization",
    "backups",
    "configuration",
    "infrastructure",
    "jobs",
    "kms",
    "passwords",
    "security",
    "sessions",
    "tokens",
]
