"""Jobs, repositories, restore points and sessions, as far as a person may see them."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import SecurityMember, User
from encryption import rules
from encryption.crypto.encoding import canonical
from encryption.errors import Unknown
from encryption.models import (
    Drift,
    Job,
    JobSession,
    JobUserObjectPermission,
    Repository,
    RepositoryUserObjectPermission,
    RestorePoint,
)

REPOSITORY_FIELDS = frozenset({"name", "location", "media", "offsite", "offline", "immutable"})
JOB_FIELDS = frozenset(
    {
        "name",
        "repository",
        "source",
        "include",
        "exclude",
        "one_file_system",
        "schedule_minutes",
        "retention_points",
        "retention_days",
        "full_every",
        "compression",
        "data_category",
        "records_reference",
        "state",
    }
)


def jobs_for(user: User) -> QuerySet[Job]:
    """Return the jobs that a person may see: all by role, else those named for them."""
    jobs = Job.objects.exclude(state=Job.State.DELETED).select_related("repository", "password")
    if user.has_perm("encryption.view_job"):
        return jobs
    return jobs.filter(pk__in=named(JobUserObjectPermission, user, "view_job").values("content_object"))


def repositories_for(user: User) -> QuerySet[Repository]:
    """Return the repositories that a person may see: all by role, else those named for them."""
    if user.has_perm("encryption.view_repository"):
        return Repository.objects.order_by("name")
    mine = named(RepositoryUserObjectPermission, user, "view_repository")
    return Repository.objects.filter(pk__in=mine.values("content_object")).order_by("name")


def named(
    model: type[JobUserObjectPermission] | type[RepositoryUserObjectPermission], user: User, codename: str
) -> QuerySet[Any]:
    """Return the rows that name an account for a permission.

    Those count for who works with backups: not for Security (P4), nor for who reads everything.
    """
    if not rules.works_with_backups(user.facts().roles):
        return model._default_manager.none()
    seated = SecurityMember.objects.filter(until=None).values("person")
    rows: QuerySet[Any] = model._default_manager.filter(
        user=user, user__is_active=True, permission__codename=codename
    )
    return rows.exclude(user__person__in=seated)


def may(user: User, verb: str, job: Job) -> bool:
    """Say whether a person may `run`, `restore`, `change`, `delete` or `ask_change`: by role or by name."""
    if user.has_perm(f"encryption.{verb}_job"):
        return True
    return named(JobUserObjectPermission, user, f"{verb}_job").filter(content_object=job).exists()


def granted(user: User, verb: str, jobs: Collection[UUID]) -> set[UUID]:
    """Return those of some jobs that name an account for a verb."""
    rows = named(JobUserObjectPermission, user, f"{verb}_job").filter(content_object__in=jobs)
    return set(rows.values_list("content_object_id", flat=True))


def named_deciders() -> dict[UUID, frozenset[UUID]]:
    """Return who is named to decide, by repository: only they decide there as administrators.

    A row of a superuser names nobody, and neither gives an office.
    """
    found: dict[UUID, set[UUID]] = {}
    rows = RepositoryUserObjectPermission.objects.filter(permission__codename="decide_repository")
    for place, user, superuser in rows.values_list("content_object", "user", "user__is_superuser"):
        found.setdefault(place, set()).update(() if superuser else (user,))
    return {place: frozenset(users) for place, users in found.items()}


def repositories_of(jobs: Collection[UUID]) -> set[UUID]:
    """Return where some jobs write."""
    return set(Job.objects.filter(pk__in=jobs).values_list("repository_id", flat=True))


def job_detail(job_id: UUID, user: User) -> Job:
    """Return one job that a person may see. Raises Unknown."""
    job = jobs_for(user).filter(pk=job_id).first()
    if job is None:
        raise Unknown("There is no such job, or it is not yours to see.")
    return job


def revision(row: Job | Repository) -> str:
    """Return a name for all that an edit can change; what a run writes beside it does not count."""
    known, more = (JOB_FIELDS, ("password",)) if isinstance(row, Job) else (REPOSITORY_FIELDS, ())
    state = {name: row.serializable_value(name) for name in (*known, *more)}
    plain = {name: str(value) if isinstance(value, UUID) else value for name, value in state.items()}
    return hashlib.sha256(canonical(plain)).hexdigest()[:32]


def restore_points(job: Job) -> QuerySet[RestorePoint]:
    """Return what can be restored, newest first."""
    live = RestorePoint.objects.filter(job=job, dropped_at=None).select_related("password_version")
    return live.order_by("-created_at", "-pk")


def restore_point_for(point_id: UUID, user: User) -> RestorePoint:
    """Return one live restore point of a job that a person may see. Raises Unknown."""
    live = RestorePoint.objects.filter(pk=point_id, dropped_at=None, job__in=jobs_for(user))
    point = live.select_related("job__repository", "password_version").first()
    if point is None:
        raise Unknown("There is no such restore point, or it is not yours to see.")
    return point


def sessions(job: Job) -> QuerySet[JobSession]:
    """Return a job's runs, restores and verifications, newest first."""
    return JobSession.objects.filter(job=job).order_by("-created_at", "-pk")


def use_of(job: Job) -> rules.Use:
    """Return what the rules of P2 ask about a job."""
    return uses_of([job])[job.pk]


def uses_of(jobs: Sequence[Job]) -> dict[UUID, rules.Use]:
    """Return what the rules of P2 ask about each of many jobs, in one query."""
    live = RestorePoint.objects.filter(job__in=jobs, dropped_at=None).order_by("job").values_list("job")
    rows = live.annotate(Count("pk"), encrypted=Count("pk", filter=Q(password_version__isnull=False)))
    counts = {job: (points, encrypted) for job, points, encrypted in rows}
    return {job.pk: rules.Use(job.password_id is not None, *counts.get(job.pk, (0, 0))) for job in jobs}


def points_of(job: Job) -> list[rules.Point]:
    """Return the live restore points as retention sees them."""
    rows = RestorePoint.objects.filter(job=job, dropped_at=None)
    return [
        rules.Point(row.pk, row.base_id, row.created_at, row.password_version_id is not None) for row in rows
    ]


def jobs_named(ids: Iterable[UUID]) -> list[Job]:
    """Return live jobs in the order of their names. Raises Unknown when one is missing."""
    wanted = set(ids)
    found = list(
        Job.objects.filter(pk__in=wanted)
        .exclude(state=Job.State.DELETED)
        .select_related("repository")
        .order_by("name")
    )
    if len(found) != len(wanted):
        raise Unknown("One of the jobs does not exist any more.")
    return found


def session_for(session_id: UUID, user: User) -> JobSession:
    """Return one session of a job that a person may see. Raises Unknown."""
    found = JobSession.objects.filter(pk=session_id, job__in=jobs_for(user)).select_related("job").first()
    if found is None:
        raise Unknown("There is no such session, or it is not yours to see.")
    return found


def drifts_for(user: User) -> QuerySet[Drift]:
    """Return the drifts, open and closed, of jobs, passwords and repositories that a person may see."""
    places = repositories_for(user).order_by()
    of_places = Q(repository__in=places) | Q(password__veeam__server__in=places.values("pk"))
    found = Drift.objects.filter(Q(job__in=jobs_for(user).order_by()) | of_places)
    return found.select_related("job__repository", "password__veeam", "repository")
