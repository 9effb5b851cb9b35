"""From a request's kind to the use case that its approval authorises: a literal table."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from approvals.models import Kind
from approvals.statement import Statement
from audit.statement import WORKER
from encryption.crypto.secret import Secret
from encryption.models import Rekey
from encryption.services import passwords, rekeys

# Joins the worker's transaction, given until when; returns the re-key that it started, if the kind has one.
Begin = Callable[[datetime], Rekey | None]
# Everything slow, before that transaction.
UseCase = Callable[[Statement, str, Secret | None], Begin]


def prepare(said: Statement, digest: str, secret: Secret | None) -> Begin:
    """Do what is slow for an approved statement and return what begins it; raises as the use case does."""
    return USE_CASES[said.kind](said, digest, secret)


def _rekey(action: str, said: Statement, digest: str, secret: Secret | None) -> Begin:
    change = said.change
    password = change.get("encryption_password")
    prepared = rekeys.prepare(
        rekeys.Wish(
            action=action,
            request=said.request,
            request_digest=digest,
            jobs={
                UUID(target["id"]): target["fingerprint"]
                for target in said.targets
                if target["type"] == "job"
            },
            password=UUID(password) if password else None,
            hint=change.get("hint", ""),
            scope=change.get("scope", "keys"),
            start=change.get("start", "next_run"),
            then=change.get("then", "keep"),
            known_to=[str(said.asker.person)] if secret is not None else [],
        ),
        secret,
    )
    nights = int(said.policy["fulls_a_night"])
    return lambda until: rekeys.start_within(prepared, by=WORKER, retry_until=until, fulls_a_night=nights)


def _delete(said: Statement, digest: str, secret: Secret | None) -> Begin:
    password = UUID(said.change["encryption_password"])

    def begin(until: datetime) -> None:
        passwords.delete_within(password, by=WORKER)

    return begin


USE_CASES: Mapping[str, UseCase] = {
    Kind.ACTIVATE: partial(_rekey, "activate"),
    Kind.CHANGE: partial(_rekey, "change"),
    Kind.DEACTIVATE: partial(_rekey, "deactivate"),
    Kind.DELETE: _delete,
}
