"""No column with sealed values is forgotten by a rotation: whoever adds one says here what it holds."""

import ast

from django.apps import apps
from django.db.models import BinaryField

from encryption.services import keyring
from encryption.triggers.resting import SEALED
from tests.house.sources import ROOT, written_python

# Bytes that do not rest under the worker's master key, and what they are.
OTHER = {
    "accounts_enrolmentlink.token_hash": "a digest",
    "accounts_idempotencykey.body_mac": "a digest",
    "accounts_knowndevice.mark": "a digest",
    "accounts_roster.body": "public",
    "approvals_approvalrequest.sealed_secret": "for the intake key",
    "approvals_approvalrequest.statement": "public",
    "approvals_earlyproof.sealed": "for the intake key",
    "audit_entry.canonical": "public",
    "audit_entry.leaf_hash": "a digest",
    "audit_entryname.salt": "erased with its name",
    "audit_forwarder.offered_secret": "for the intake key",
    "compliance_report.content": "a report",
    "encryption_keysetguard.public": "public",
    "encryption_veeamadoption.sealed": "for the intake key",
    "encryption_veeamserver.offered_secret": "for the intake key",
    "recovery_backupserver.sealing_key": "public",
    "recovery_backupserver.signing_key": "public",
    "recovery_custodyproof.sealed": "for the intake key",
    "recovery_enterprisetask.sealed": "for the enterprise worker's sealing key",
    "recovery_keyset.public": "public",
    "recovery_lossprotection.trusted_key": "public",
    "recovery_recoverycase.nonce": "public",
    "recovery_recoverycase.request": "public",
    "recovery_recoverycase.response": "for the server's sealing key",
    "recovery_recoverycase.sealed_keys": "never written; the keys rest in encryption_recoveredkeys",
    "recovery_release.public_key": "public",
}


def columns() -> set[str]:
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in keyring_apps()]
    fields = [(model, field) for model in ours for field in model._meta.get_fields()]
    return {f"{m._meta.db_table}.{f.column}" for m, f in fields if isinstance(f, BinaryField)}


def keyring_apps() -> set[str]:
    return {"accounts", "approvals", "audit", "compliance", "encryption", "recovery"}


def rotated() -> set[str]:
    return {f"{column.table}.{column.field}" for column in keyring.COLUMNS}


def test_every_column_of_bytes_is_rotated_or_named_here():
    assert columns() == rotated() | set(OTHER)


def test_none_is_both():
    assert rotated() & set(OTHER) == set()


def test_the_database_guards_the_same_columns():
    assert {f"{table}.{column}" for table, column in SEALED} == rotated()


def test_two_places_alone_use_the_master_key():
    """What is sealed elsewhere would rest in a place that no rotation knows."""
    found = set()
    for path in written_python():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("seal", "open") and _is_seal(node.value):
                found.add(path.relative_to(ROOT).as_posix())
    assert {path for path in found if not path.startswith(("tests/", "bench/"))} == {
        "encryption/services/resting.py",
        "recovery/services/private.py",
    }


def _is_seal(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "seal"
