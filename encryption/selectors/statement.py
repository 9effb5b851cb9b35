"""What a request's statement says: its targets as they stand, and what follows from a yes."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count

from encryption.errors import Unknown
from encryption.models import EncryptionPassword, Engine, Job, RestorePoint, VeeamServer
from encryption.selectors.consequences import at_veeam
from encryption.selectors.jobs import jobs_named
from encryption.selectors.passwords import newest_versions, versions_of_password
from encryption.selectors.servers import facts_of_server, servers_of
from encryption.selectors.standing import Standing, points, row, standing


def target_facts(target: UUID) -> dict[str, Any]:
    """Return what a request's statement says of a job or password at this moment. Raises Unknown."""
    return facts_of_targets([target])[0]


def facts_of_targets(targets: Collection[UUID]) -> list[dict[str, Any]]:
    """Return the `target_facts` of many jobs and passwords, in their order and in as many queries as for one.

    Raises Unknown.
    """
    jobs = Job.objects.filter(pk__in=targets).exclude(state=Job.State.DELETED)
    facts = facts_of_jobs(list(jobs)) + _facts_of_passwords(targets)
    found = {UUID(fact["id"]): fact for fact in facts}
    if len(found) != len(set(targets)):
        raise Unknown("There is no such job or password.")
    return [found[target] for target in targets]


def _facts_of_passwords(targets: Collection[UUID]) -> list[dict[str, Any]]:
    passwords = list(EncryptionPassword.objects.filter(pk__in=targets, deleted_at=None))
    newest = newest_versions(password.pk for password in passwords)
    live = RestorePoint.objects.filter(dropped_at=None, password_version__password__in=passwords).order_by()
    used = dict(live.values_list("password_version__password").annotate(Count("pk")))
    return [
        {
            "fingerprint": "",
            "id": str(password.pk),
            "name": password.hint,
            "password_version": str(newest[password.pk].pk) if password.pk in newest else None,
            "plain_points": 0,
            "restore_points": used.get(password.pk, 0),
            "type": "password",
        }
        for password in passwords
    ]


def facts_of_jobs(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return the `target_facts` of many jobs, in as many queries as for one.

    A job of a Veeam server names the server too: approvers sign where the password goes.
    """
    servers = servers_of(job.pk for job in jobs)
    return [
        {
            "fingerprint": stands.job.observed_fingerprint,
            "id": str(stands.job.pk),
            "name": stands.job.name,
            "password_version": str(stands.version) if stands.version else None,
            "plain_points": stands.plain,
            "restore_points": stands.plain + stands.encrypted,
            "type": "job",
        }
        | ({"server": facts_of_server(servers[stands.job.pk])} if stands.job.pk in servers else {})
        for stands in standing(jobs)
    ]


def consequences(
    job_ids: Iterable[UUID],
    kind: str,
    *,
    scope: str = "keys",
    start: str = "next_run",
    then: str = "keep",
    password: UUID | None = None,
) -> list[dict[str, Any]]:
    """Return what follows from a request of `kind`, one fact a row, each also as a sentence (`text`).

    `kind` is the request's kind; `password` the one that a deletion names. Numbers are those of this moment.
    """
    if kind == "delete_password":
        return _of_deletion(password)
    jobs = jobs_named(job_ids)
    if jobs and jobs[0].repository.engine == Engine.VEEAM:
        return at_veeam(standing(jobs), kind, start=start, password=password)
    found = []
    for stands in standing(jobs):
        if kind == "deactivate_encryption":
            found += _of_deactivation(stands, then)
        else:
            found += _of_rekey(stands, activation=kind == "activate_encryption", scope=scope, start=start)
    return found


def _of_rekey(stands: Standing, *, activation: bool, scope: str, start: str) -> list[dict[str, Any]]:
    job, plain, encrypted = stands.job, stands.plain, stands.encrypted
    rows = []
    if stands.version is not None or encrypted:
        text = f"The new password opens {points(encrypted)} of {job.name}; the former one opens none of them."
        rows.append(row(job, "opens", text, encrypted_points=encrypted))
        if scope == "keys":
            text = (
                "Storage keys and data stay as they are: who kept an old keyring and knows the former"
                " password still opens the restore points of that time."
            )
            rows.append(row(job, "old_keyring", text))
    if plain:
        stay = points(plain, capital=True)
        text = f"{stay} of {job.name} stay readable without a password until they retire."
        rows.append(row(job, "plain", text, plain_points=plain))
    if activation or scope == "data":
        rows.append(_full(stands, start))
    return rows


def _of_deactivation(stands: Standing, then: str) -> list[dict[str, Any]]:
    job = stands.job
    rows = [
        row(job, "unprotected", f"Whoever reaches the repository reads what {job.name} writes from now on.")
    ]
    if stands.encrypted and then == "delete":
        text = f"{points(stands.encrypted, capital=True)} go once a plain full backup has succeeded."
        rows.append(row(job, "deleted", text, encrypted_points=stands.encrypted))
    elif stands.encrypted:
        text = f"{points(stands.encrypted, capital=True)} keep needing their password until they retire."
        rows.append(row(job, "opens", text, encrypted_points=stands.encrypted))
    rows.append(_full(stands, "next_run"))
    return rows


def _of_deletion(password: UUID | None) -> list[dict[str, Any]]:
    found = EncryptionPassword.objects.filter(pk=password).first() if password else None
    if found is None:
        raise Unknown("There is no such password.")
    count = sum(use.points for use in versions_of_password(found))
    text = f"Every version of “{found.hint}” is erased; nothing opens {points(count)} that need it."
    if not count:
        text = f"Every version of “{found.hint}” is erased; no restore point needs it."
    facts: dict[str, Any] = {"name": found.hint, "password": str(found.pk)}
    rows = [facts | {"points": count, "text": text, "what": "erased"}]
    server = VeeamServer.objects.filter(passwords__password=found).first()
    if server is not None:
        where = facts_of_server(server)
        text = f"“{found.hint}” is removed from the Veeam server {where['name']} ({where['address']})."
        rows.append(facts | {"server": str(server.pk), "text": text, "what": "removed"})
    return rows


def _full(stands: Standing, start: str) -> dict[str, Any]:
    job, estimate, free = stands.job, stands.full, stands.job.repository.free_bytes
    when = "at once" if start == "now" else "with its next run"
    size = f" of about {estimate:,} bytes" if estimate is not None else ""
    room = f"; {free:,} bytes are free" if free is not None else ""
    text = f"{job.name} writes a new full backup{size} {when}{room}."
    return row(job, "full", text, estimated_bytes=estimate, free_bytes=free, start=start)
