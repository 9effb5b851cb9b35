"""The release of one version of a password to a named custodian, for a restore elsewhere."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Person
from approvals.errors import Invalid, NotFound, Stale
from approvals.models import Policy
from approvals.services import policies
from approvals.services.kinds import passwords, persons
from approvals.services.kinds.base import Begin, Draft, Origin, RequestKind, check_free
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption.crypto.encoding import canonical
from encryption.crypto.secret import Secret
from encryption.models import PasswordVersion
from recovery.services import releases


def _draft(wish: Wish, origin: Origin) -> Draft:
    passwords.check_may_ask(origin.by, wish, [])
    version, person = _version(wish.encryption_password, wish.version), persons.custodian(wish.user)
    check_free([("password", version.password_id)])
    change = _change(version, person)
    text = (
        f"{person.name} reads the password once, on their own page, within a week, and knows it from then on."
        " Ask for a change afterwards."
    )
    return Draft(
        policies.in_force(None), [_target(version, change)], change, [{"text": text, "what": "knows"}]
    )


def _policy(said: Statement, before: datetime) -> Policy:
    return policies.in_force(None, before)


def _compare(said: Statement) -> None:
    change = said.change
    try:
        version = _version(UUID(change["encryption_password"]), int(change["version"]))
        person = Person.objects.filter(pk=change["subjects"][0]).first()
    except (Invalid, NotFound) as error:
        raise Stale(str(error)) from error
    if person is None or _change(version, person) != dict(change):
        raise Stale("It is not as it was when this was asked.")


def _prepare(said: Statement, digest: str, secret: Secret | None) -> Begin:
    version = _version(UUID(said.change["encryption_password"]), int(said.change["version"]))
    person = UUID(said.change["subjects"][0])

    def begin(until: datetime) -> None:
        releases.grant_within(version.pk, person, request=said.request)

    return begin


def _version(password: UUID | None, number: int) -> PasswordVersion:
    rows = PasswordVersion.objects.select_related("password").filter(password__deleted_at=None)
    rows = rows.filter(password=password) if password else rows.none()
    found = rows.filter(number=number).first() if number else rows.order_by("-number").first()
    if found is None:
        raise NotFound("There is no such version of this password.")
    if found.sealed_password is None:
        raise Invalid("Nobody here knows the value of this version: there is nothing to release.")
    return found


def _change(version: PasswordVersion, person: Person) -> dict[str, Any]:
    return {
        "encryption_password": str(version.password_id),
        "hint": version.hint,
        "name": person.name,
        "subjects": [str(person.pk)],
        "version": version.number,
    }


def _target(version: PasswordVersion, change: dict[str, Any]) -> dict[str, Any]:
    return {
        "fingerprint": hashlib.sha256(canonical(change)).hexdigest(),
        "id": str(version.password_id),
        "name": version.password.hint,
        "type": "password",
    }


RELEASE = RequestKind(_draft, _policy, _compare, _prepare)
