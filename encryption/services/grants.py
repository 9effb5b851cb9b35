"""Who may do what with one job or repository, beside what roles give: administrators grant and take away.

A grant adds to nobody's power over a decision: `decide` goes to those alone who hold the office already, and
the rest to those who work with backups. Nobody grants to themselves, with whatever account.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import Manager

from accounts.errors import Invalid, NotEligible
from accounts.models import Role, SecurityMember, User
from audit import services as audit
from audit.events import Event
from encryption import rules
from encryption.errors import Unknown
from encryption.models import Job, JobUserObjectPermission, Repository, RepositoryUserObjectPermission

Row = Job | Repository


def grant(row: Row, verb: str, *, to: UUID, by: User) -> None:
    """Grant a verb on a row. Raises NotEligible, Invalid for a verb that the row does not have."""
    with audit.act(by=by, subject=row):
        _check_granter(by)
        account = User.objects.select_related("person").filter(pk=to).first()
        if account is None:
            raise Unknown("There is no such account.")
        seated = SecurityMember.objects.filter(person_id=account.person_id, until=None).exists()
        _check_verb(row, verb)
        if refusal := rules.grant_refusal(verb, by=by.facts(), to=account.facts(), seated=seated):
            raise NotEligible(refusal)
        _, made = _rows(row).get_or_create(
            user=account, permission=_permission(row, verb), content_object=row
        )
        if made:
            audit.record(Event.ACCESS_GRANTED, subject=row, facts={"verb": verb, "user": account.pk})


def revoke(row: Row, verb: str, *, of: UUID, by: User) -> None:
    """Take a verb on a row away; from oneself too. Raises NotEligible, Invalid, Unknown."""
    with audit.act(by=by, subject=row):
        _check_granter(by)
        _check_verb(row, verb)
        gone, _ = (
            _rows(row).filter(user_id=of, permission=_permission(row, verb), content_object=row).delete()
        )
        if not gone:
            raise Unknown("There is no such grant.")
        audit.record(Event.ACCESS_REVOKED, subject=row, facts={"verb": verb, "user": of})


def _check_granter(by: User) -> None:
    # By membership: a superuser passes every `has_perm`.
    if not by.has_role(Role.ADMINISTRATOR):
        raise NotEligible("Backup administrators alone say who may do what.")


def _check_verb(row: Row, verb: str) -> None:
    known = rules.JOB_VERBS if isinstance(row, Job) else rules.REPOSITORY_VERBS
    if verb not in known:
        raise Invalid(f"{verb} is not granted here. Known: {', '.join(known)}.")


def _rows(row: Row) -> Manager[Any]:
    model = JobUserObjectPermission if isinstance(row, Job) else RepositoryUserObjectPermission
    rows: Manager[Any] = model._default_manager
    return rows


def _permission(row: Row, verb: str) -> Permission:
    meta = type(row)._meta
    return Permission.objects.get(
        content_type__app_label=meta.app_label,
        content_type__model=meta.model_name,
        codename=f"{verb}_{meta.model_name}",
    )
