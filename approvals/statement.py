"""The statement: the one text that is shown, signed and executed (P5). Pure; RFC 8785 and SHA-256.

Normative form in docs/evidence-format.md. Bytes that are not exactly what `build` would write are refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785

from approvals.errors import Invalid

TYPE = "veeamsec-request"
VERSION = 1
TIME = "%Y-%m-%dT%H:%M:%SZ"
# Five hundred jobs with their consequences stay well below this.
MAX_STATEMENT = 4_000_000
POLICY_KEYS = frozenset(
    {
        "administrators_may_approve",
        "advising_titles",
        "decide_days",
        "execute_hours",
        "fulls_a_night",
        "id",
        "mfa_required",
        "number",
        "pools",
        "quorum",
    }
)
# Named only where they hold.
_POLICY_MAY = frozenset({"custody_proof", "number_in_description"})
_KEYS = frozenset(
    {
        "answers",
        "asker",
        "change",
        "consequences",
        "created",
        "custody",
        "decide_by",
        "execute_hours",
        "kind",
        "number",
        "policy",
        "procedure",
        "reason",
        "request",
        "targets",
        "type",
        "version",
    }
)
_KEYSET = {"description", "keyset", "public_sha256", "suite"}
_NEW_VALUE = {"encryption_password", "hint", "new", "scope", "secret_sha256", "start", "version"}
# Only where the worker makes the new password: for a custodian, or for nobody, whom a keyset makes up for.
_GENERATED = (frozenset({"generated", "name", "subjects"}), frozenset({"generated", "keyset"}))
_CHANGE_MAY = dict.fromkeys(("activate_encryption", "change_password"), _GENERATED)
CHANGE_KEYS: Mapping[str, frozenset[str]] = {
    "activate_encryption": frozenset(_NEW_VALUE),
    "change_password": frozenset(_NEW_VALUE | {"from_version"}),
    "deactivate_encryption": frozenset({"then"}),
    "delete_password": frozenset({"encryption_password"}),
    "add_security_member": frozenset({"credentials", "subjects", "title", "user"}),
    "remove_security_member": frozenset({"member", "subjects", "user"}),
    "replace_security_member": frozenset({"credentials", "leaving", "member", "subjects", "title", "user"}),
    "grant_administrator": frozenset({"credentials", "role", "subjects", "user"}),
    "revoke_administrator": frozenset({"role", "subjects", "user"}),
    "reset_credentials": frozenset({"subjects", "user"}),
    "change_policy": frozenset({"policy", "replaces", "scope"}),
    "explain_drift": frozenset({"drift", "found", "what"}),
    "activate_keyset": frozenset(_KEYSET | {"retires", "weeks"}),
    "import_keyset": frozenset({"export_sha256", "keyset", "secret_sha256", "suite", "text"}),
    "export_keyset": frozenset(_KEYSET | {"secret_sha256"}),
    "delete_keyset": frozenset(_KEYSET | {"exported"}),
    "take_keyset": frozenset(
        _KEYSET
        | {"activated", "enterprise", "enterprise_key_sha256", "expires", "fingerprint", "retires", "text"}
    ),
    "register_server": frozenset({"fingerprint", "kem", "name", "server"}),
    "recover_key": frozenset({"case", "jobs", "keys", "number", "request_sha256", "server", "server_name"}),
    "release_password": frozenset({"encryption_password", "hint", "name", "subjects", "version"}),
    "suppress_finding": frozenset({"code", "finding", "found", "note", "short", "summary", "title", "until"}),
    "revert_drift": frozenset({"action", "drift", "encryption_password", "found", "restores", "what"}),
}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked: the account, its person, and for a service account or token the person it stands for.

    `made_by` names who made the account or handed out a link to it: they may have been the first to use it.
    """

    user: UUID
    person: UUID
    on_behalf: UUID | None = None
    made_by: tuple[UUID, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the asker as statements and attestations write it; without makers, `made_by` is left out."""
        made = {"made_by": sorted(str(person) for person in self.made_by)} if self.made_by else {}
        behalf = str(self.on_behalf) if self.on_behalf else None
        return {"on_behalf": behalf, "person": str(self.person), "user": str(self.user), **made}


@dataclass(frozen=True, slots=True)
class Statement:
    """What one request says."""

    request: UUID
    number: int
    kind: str
    asker: Asker
    reason: str
    change: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]
    consequences: Sequence[Mapping[str, Any]]
    custody: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, str]]
    policy: Mapping[str, Any]
    procedure: Mapping[str, Any]
    created: datetime
    decide_by: datetime
    # The accounts that decide here as administrators; None: whoever holds the office.
    administrators: tuple[UUID, ...] | None = None

    @property
    def askers(self) -> frozenset[UUID]:
        """Return the persons whose own request this is: who asked, who made them, whom it is about (P1)."""
        behalf = [self.asker.on_behalf] if self.asker.on_behalf else []
        subjects = [UUID(person) for person in self.change.get("subjects", ())]
        return frozenset({self.asker.person, *behalf, *self.asker.made_by, *subjects})

    @property
    def execute_hours(self) -> int:
        """Return how long an approval may wait for its execution."""
        return int(self.policy["execute_hours"])

    def refs(self, type_: str) -> list[UUID]:
        """Return the ids of the targets of one type, in the statement's order."""
        return [UUID(target["id"]) for target in self.targets if target["type"] == type_]

    def touched(self) -> set[tuple[str, UUID]]:
        """Return every target as (type, id)."""
        return {(target["type"], UUID(target["id"])) for target in self.targets}


def build(statement: Statement) -> bytes:
    """Return the canonical bytes of a statement; Invalid when a text in it is no Unicode text."""
    try:
        return rfc8785.dumps(_fields(statement))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise Invalid("The request holds something that cannot be written down.") from error


def digest(data: bytes) -> str:
    """Return the SHA-256 of a statement's bytes: what a decision names."""
    return hashlib.sha256(data).hexdigest()


def parse(data: bytes) -> Statement:
    """Read a statement's bytes; Invalid for anything else, unknown or missing keys included."""
    if len(data) > MAX_STATEMENT:
        raise Invalid("The statement is too long.")
    try:
        statement = _read(json.loads(data))
        if build(statement) != data:
            raise ValueError("not canonical")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid("The statement cannot be read.") from error
    return statement


def written(moment: datetime) -> str:
    """Return a time as statements write it."""
    return moment.astimezone(UTC).strftime(TIME)


def read_time(text: str) -> datetime:
    """Read a time as statements write it."""
    return datetime.strptime(text, TIME).replace(tzinfo=UTC)


def procedure_of(version: int, text: str, questions: Sequence[str]) -> dict[str, Any]:
    """Return how a statement names the procedure that was answered."""
    body = rfc8785.dumps({"questions": list(questions), "text": text})
    return {"sha256": hashlib.sha256(body).hexdigest(), "version": version}


def _fields(statement: Statement) -> dict[str, Any]:
    named = statement.administrators
    return {
        **({} if named is None else {"administrators": sorted(str(user) for user in named)}),
        "answers": [dict(answer) for answer in statement.answers],
        "asker": statement.asker.as_json(),
        "change": dict(statement.change),
        "consequences": [dict(consequence) for consequence in statement.consequences],
        "created": written(statement.created),
        "custody": [dict(row) for row in statement.custody],
        "decide_by": written(statement.decide_by),
        "execute_hours": statement.execute_hours,
        "kind": statement.kind,
        "number": statement.number,
        "policy": dict(statement.policy),
        "procedure": dict(statement.procedure),
        "reason": statement.reason,
        "request": str(statement.request),
        "targets": [dict(target) for target in statement.targets],
        "type": TYPE,
        "version": VERSION,
    }


def _read(fields: dict[str, Any]) -> Statement:
    if fields.keys() - {"administrators"} != _KEYS or fields["type"] != TYPE or fields["version"] != VERSION:
        raise ValueError("another kind of document")
    named, least = fields["change"].keys(), CHANGE_KEYS[fields["kind"]]
    allowed = [least, *(least | further for further in _CHANGE_MAY.get(fields["kind"], ()))]
    if named not in allowed or fields["policy"].keys() - _POLICY_MAY != POLICY_KEYS:
        raise ValueError("another kind of request")
    asker, administrators = fields["asker"], fields.get("administrators")
    return Statement(
        request=UUID(fields["request"]),
        number=int(fields["number"]),
        kind=fields["kind"],
        asker=Asker(
            user=UUID(asker["user"]),
            person=UUID(asker["person"]),
            on_behalf=UUID(asker["on_behalf"]) if asker["on_behalf"] else None,
            made_by=tuple(UUID(person) for person in asker.get("made_by", ())),
        ),
        reason=fields["reason"],
        change=fields["change"],
        targets=fields["targets"],
        consequences=fields["consequences"],
        custody=fields["custody"],
        answers=fields["answers"],
        policy=fields["policy"],
        procedure=fields["procedure"],
        created=read_time(fields["created"]),
        decide_by=read_time(fields["decide_by"]),
        administrators=None if administrators is None else tuple(UUID(user) for user in administrators),
    )
