"""What is protected and with what: repositories, jobs, passwords with their versions, re-keys."""

from encryption.models.adoptions import AdoptedJob, RepositoryAdoption, VeeamAdoption
from encryption.models.guards import KeysetGuard, RecoveredKeys
from encryption.models.jobs import Engine, Job, JobSession, Repository, RestorePoint
from encryption.models.passwords import EncryptionPassword, PasswordVersion
from encryption.models.permissions import JobUserObjectPermission, RepositoryUserObjectPermission
from encryption.models.rekeys import Attestation, Drift, Rekey, RekeyJob
from encryption.models.rotations import MasterRotation
from encryption.models.veeam import (
    Reconciled,
    VeeamDifference,
    VeeamEvent,
    VeeamJob,
    VeeamLook,
    VeeamPassword,
    VeeamReception,
    VeeamRepository,
    VeeamServer,
)

__all__ = [
    "AdoptedJob",
    "Attestation",
    "Drift",
    "EncryptionPassword",
    "Engine",
    "Job",
    "JobSession",
    "JobUserObjectPermission",
    "KeysetGuard",
    "MasterRotation",
    "PasswordVersion",
    "Reconciled",
    "RecoveredKeys",
    "Rekey",
    "RekeyJob",
    "Repository",
    "RepositoryAdoption",
    "RepositoryUserObjectPermission",
    "RestorePoint",
    "VeeamAdoption",
    "VeeamDifference",
    "VeeamEvent",
    "VeeamJob",
    "VeeamLook",
    "VeeamPassword",
    "VeeamReception",
    "VeeamRepository",
    "VeeamServer",
]
