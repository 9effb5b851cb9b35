"""From a request's kind to what it checks, says and authorises: a literal table."""

from collections.abc import Mapping

from approvals.models import Kind
from approvals.services.kinds import (
    administrators,
    credentials,
    drifts,
    enterprise,
    members,
    passwords,
    policy_change,
    releases,
    suppressions,
)
from approvals.services.kinds.base import Begin, RequestKind
from approvals.statement import Statement
from encryption.crypto.secret import Secret

KINDS: Mapping[str, RequestKind] = {
    Kind.ACTIVATE: passwords.ACTIVATE,
    Kind.CHANGE: passwords.CHANGE,
    Kind.DEACTIVATE: passwords.DEACTIVATE,
    Kind.DELETE: passwords.DELETE,
    Kind.ADD_MEMBER: members.ADD,
    Kind.REMOVE_MEMBER: members.REMOVE,
    Kind.REPLACE_MEMBER: members.REPLACE,
    Kind.GRANT: administrators.GRANT,
    Kind.REVOKE: administrators.REVOKE,
    Kind.RESET: credentials.RESET,
    Kind.CHANGE_POLICY: policy_change.CHANGE_POLICY,
    Kind.ACTIVATE_KEYSET: enterprise.ACTIVATE_KEYSET,
    Kind.IMPORT_KEYSET: enterprise.IMPORT_KEYSET,
    Kind.EXPORT_KEYSET: enterprise.EXPORT_KEYSET,
    Kind.DELETE_KEYSET: enterprise.DELETE_KEYSET,
    Kind.REGISTER_SERVER: enterprise.REGISTER_SERVER,
    Kind.RECOVER_KEY: enterprise.RECOVER_KEY,
    Kind.TAKE_KEYSET: enterprise.TAKE_KEYSET,
    Kind.RELEASE: releases.RELEASE,
    Kind.SUPPRESS: suppressions.SUPPRESS,
    Kind.EXPLAIN: drifts.EXPLAIN,
    Kind.REVERT: drifts.REVERT,
}


def prepare(said: Statement, digest: str, secret: Secret | None) -> Begin:
    """Do what is slow for an approved statement and return what begins it; raises as the use case does."""
    return KINDS[said.kind].prepare(said, digest, secret)
