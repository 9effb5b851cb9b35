"""Keysets, the servers they answer, recovery cases, and who holds a password."""

from recovery.models.cases import BackupServer, RecoveryCase
from recovery.models.custody import CustodyProof, CustodyRecord, Release
from recovery.models.keysets import Keyset, LossProtection
from recovery.models.tasks import EnterpriseTask

__all__ = [
    "BackupServer",
    "CustodyProof",
    "CustodyRecord",
    "EnterpriseTask",
    "Keyset",
    "LossProtection",
    "RecoveryCase",
    "Release",
]
