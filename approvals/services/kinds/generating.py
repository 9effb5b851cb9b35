"""A password that the worker makes: for one custodian, or for nobody, where a keyset makes up for the loss.

It is made when the approved request begins and stands in no text. A custodian is handed it afterwards, as a
released one; until then nobody knows it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts import selectors as accounts
from accounts.models import Person, User
from approvals.errors import Invalid, Stale
from approvals.services.kinds import persons
from approvals.services.kinds.base import Origin
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption import selectors as encryption
from encryption.models import Engine, Job
from recovery.models import Keyset

GENERATED = "generated"


def change_of(wish: Wish, origin: Origin, jobs: Sequence[Job]) -> dict[str, Any]:
    """Return what a statement says of a value that is to be made; nothing where one was given.

    Raises NotFound, and Invalid where nobody could recover what is written under it.
    """
    if not wish.generate:
        return {}
    if wish.custodian is None:
        return {GENERATED: True, "keyset": str(_keyset(jobs).pk)}
    person = persons.custodian(wish.custodian)
    if person.pk == origin.by.person_id:
        raise Invalid("A generated password is handed to another person than who asks for it.")
    if accounts.made_by({person.pk}, {origin.by.person_id}):
        raise Invalid(
            "A generated password is handed to nobody whose account the asker made or sent a link to."
        )
    if person.name.casefold() not in {str(row["custodian"]).casefold() for row in wish.custody}:
        raise Invalid(f"State the copy that {person.name} will keep: the password is handed to them alone.")
    return {GENERATED: True, "name": person.name, "subjects": [str(person.pk)]}


def consequences(change: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what follows from a change whose value is made."""
    if GENERATED not in change:
        return []
    if "keyset" in change:
        keyset = Keyset.objects.get(pk=change["keyset"])
        text = (
            "Nobody types the password and nobody reads it: the worker makes it, and keeps it sealed. If this"
            f" installation is lost, only the keyset “{keyset}” opens what was written under it."
        )
    else:
        text = (
            f"Nobody types the password: the worker makes it. {change['name']} reads it once, on their own"
            " page, within a week of the execution; until then nobody knows it."
        )
    return [{"text": text, "what": GENERATED}]


def compare(said: Statement) -> None:
    """As the worker: raise Stale where what makes up for the loss is not what was approved."""
    if GENERATED not in said.change:
        return
    if "keyset" in said.change:
        try:
            keyset = _keyset(encryption.jobs_named(said.refs("job")))
        except Invalid as error:
            raise Stale(str(error)) from error
        if str(keyset.pk) != said.change["keyset"]:
            raise Stale("Another keyset is in force than when this was asked.")
        return
    person = Person.objects.filter(pk__in=said.change["subjects"]).first()
    able = User.objects.filter(person=person, is_active=True, is_human=True)
    if person is None or person.name != said.change["name"] or not able.exists():
        raise Stale(f"{said.change['name']} cannot be handed a password any more.")


def custodian_of(said: Statement) -> UUID | None:
    """Return the person who is handed the value that was made for a request; None for nobody."""
    subjects = said.change.get("subjects", ()) if GENERATED in said.change else ()
    return UUID(subjects[0]) if subjects else None


def _keyset(jobs: Sequence[Job]) -> Keyset:
    """Return the keyset in force, kept elsewhere too, which opens every point of these jobs."""
    if any(job.repository.engine == Engine.VEEAM for job in jobs):
        raise Invalid("No keyset of this product opens what Veeam writes: name a custodian.")
    keyset = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
    if keyset is None or (keyset.own and keyset.exported_at is None):
        raise Invalid(
            "A generated password needs a custodian, or a keyset in force whose private half was exported:"
            " else it is lost with this installation."
        )
    for job in jobs:
        found = encryption.loss_protection(job)
        if not found.is_whole:
            raise Invalid(
                f"Not every restore point of {job.name} is protected by the keyset in force: protect the"
                " others first, or name a custodian."
            )
    return keyset
