"""Keysets, the servers they answer, recovery cases, and who holds a password."""

from recovery.models.cases import BackupServer, RecoveryCase
from recovery.models.custody import CustodyProof, CustodyRecord
from recovery.models.keysets import Keyset, LossProtection

__all__ = [
    "BackupServer",
    "CustodyProof",
    "CustodyRecord",
    "Keyset",
    "LossProtection",
    "RecoveryCase",
]
