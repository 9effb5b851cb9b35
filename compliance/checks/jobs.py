"""Checks about jobs and their restore points; each denominator is all jobs, governed or not."""

from datetime import timedelta

from compliance.checks import controls as c
from compliance.checks.declared import Check, Line, Result, Severity, Status, counted, unable
from compliance.checks.facts import Facts, JobFacts

# A restore that was tried longer ago says little about today's backups.
PROVED_WITHIN = timedelta(days=90)
NO_JOB = "There is no job yet."


def _line(job: JobFacts, text: str) -> Line:
    return Line(f"{job.name}: {text}", "job", str(job.id))


def _writing(facts: Facts) -> list[JobFacts]:
    return [job for job in facts.jobs if job.writes]


def _encrypted(facts: Facts) -> Result:
    jobs = _writing(facts)
    plain = [job for job in jobs if job.password is None]
    lines = [_line(job, "writes in clear.") for job in plain]
    partly = [job for job in jobs if job.password is not None and job.plain_places]
    lines += [_line(job, f"writes in clear to {job.plain_places} further places.") for job in partly]
    good, total = len(jobs) - len(lines), len(jobs)
    return counted(good, total, f"{good} of {total} jobs are encrypted." if total else NO_JOB, lines)


def _points(facts: Facts) -> Result:
    total = good = 0
    lines = []
    for job in facts.jobs:
        bad = {
            "in clear": 0,
            "under a version that Security did not approve": 0,
            "under a version whose value is not held here": 0,
        }
        for version_id, count in job.points.items():
            total += count
            version = facts.versions.get(version_id) if version_id else None
            if version_id is None:
                bad["in clear"] += count
            elif version is None or not version.held:
                bad["under a version whose value is not held here"] += count
            elif not version.approved:
                bad["under a version that Security did not approve"] += count
            else:
                good += count
        if any(bad.values()):
            said = ", ".join(f"{count:,} points {how}" for how, count in bad.items() if count)
            lines.append(_line(job, f"{said}."))
    said = f"{good:,} of {total:,} live restore points open with a password that Security approved."
    return counted(good, total, said if total else "There is no restore point yet.", lines)


def _old(facts: Facts) -> Result:
    newest = {one.newest.id for one in facts.passwords if one.newest is not None}
    total = good = 0
    needed: dict[str, tuple[str, int]] = {}
    for job in facts.jobs:
        for version_id, count in job.points.items():
            if version_id is None:
                continue
            total += count
            if version_id in newest:
                good += count
                continue
            version = facts.versions.get(version_id)
            name = f"{version.hint} (version {version.number})" if version else "a version that is gone"
            ref, before = needed.get(name, ("" if version is None else str(version.password), 0))
            needed[name] = (ref, before + count)
    lines = [
        Line(f"{count:,} restore points need {name}.", "password", ref)
        for name, (ref, count) in needed.items()
    ]
    said = f"{good:,} of {total:,} encrypted restore points need only the password of today."
    return counted(good, total, said if total else "There is no encrypted restore point yet.", lines)


def _copies(facts: Facts) -> Result:
    jobs = _writing(facts)
    known = [job for job in jobs if job.copies is not None]
    if not known:
        return unable("Copies of these jobs are not known here." if jobs else NO_JOB)
    good = [job for job in known if job.copies]
    lines = [_line(job, "no copy of it elsewhere is known.") for job in known if not job.copies]
    lines += [
        _line(job, "whether a copy of it lies elsewhere is not known.") for job in jobs if job.copies is None
    ]
    said = f"{len(good)} of {len(jobs)} jobs have a copy elsewhere."
    return counted(len(good), len(jobs), said, lines)


def _restores(facts: Facts) -> Result:
    filled = [job for job in facts.jobs if job.points]
    if not filled:
        return unable("There is no restore point yet.")
    if not any(job.restores_seen for job in filled):
        return unable("What is restored at a Veeam server is not seen here.")
    good = [job for job in filled if job.proved_at and facts.now - job.proved_at <= PROVED_WITHIN]
    proved = {job.id for job in good}
    lines = [
        _line(
            job,
            "nothing of it was restored or verified here lately."
            if job.restores_seen
            else "what is restored at its server is not seen here.",
        )
        for job in filled
        if job.id not in proved
    ]
    said = f"Of {len(good)} of {len(filled)} jobs something was restored or verified within 90 days."
    return counted(len(good), len(filled), said, lines)


def _immutable(facts: Facts) -> Result:
    jobs = [job for job in facts.jobs if job.writes or job.points]
    if jobs and all(job.immutable is None for job in jobs):
        return unable("No server says whether its repositories are immutable.")
    good = [job for job in jobs if job.immutable]
    lines = [
        _line(
            job,
            "it is not known whether its place can be altered."
            if job.immutable is None
            else "its place can be altered.",
        )
        for job in jobs
        if not job.immutable
    ]
    said = f"{len(good)} of {len(jobs)} jobs write where nothing can be altered or that is offline."
    return counted(len(good), len(jobs), said if jobs else NO_JOB, lines)


def _drift(facts: Facts) -> Result:
    lines = [Line(one.text, one.about, str(one.ref or "")) for one in facts.drifts]
    total = len(facts.jobs) + len(facts.passwords)
    if not lines and total:
        return Result(Status.PASSED, "Nothing was changed without a request that explains it.", total, total)
    apart = len({(one.about, one.ref) for one in facts.drifts})
    said = f"{len(lines)} changes are not explained." if lines else "There is nothing yet that could change."
    return counted(max(total - apart, 0), total, said, lines)


CHECKS = (
    Check(
        code="jobs.encrypted",
        title="Every job is encrypted",
        why="A backup in clear hands the whole of the data to whoever takes the medium.",
        mend="Ask for encryption to be activated for each job that is named here.",
        severity=Severity.HIGH,
        controls=(c.BACKUP, c.CRYPTOGRAPHY, c.GDPR_ENCRYPTION, c.NIS2_CRYPTOGRAPHY),
        find=_encrypted,
    ),
    Check(
        code="points.approved",
        title="No live restore point is under an unapproved or lost password",
        why="What was written under a password that nobody approved or has may never open again.",
        mend="Change the password under four eyes, recover the older ones, and let old points retire.",
        severity=Severity.HIGH,
        controls=(c.BACKUP, c.CRYPTOGRAPHY, c.GDPR_RESTORE),
        find=_points,
    ),
    Check(
        code="passwords.old_needed",
        title="No old password is needed any more",
        why="Whoever knew the password then can still open the restore points of that time.",
        mend="Keep the older versions until their points retire, or ask for a change of keys and data.",
        severity=Severity.LOW,
        controls=(c.CRYPTOGRAPHY, c.AUTHENTICATION),
        find=_old,
    ),
    Check(
        code="data.copies",
        title="Every backup has a copy elsewhere",
        why="Three copies, two media, one elsewhere, one offline, no errors: one is soon none.",
        mend="Make a copy job, or another job of the same source, that writes to another repository.",
        severity=Severity.MEDIUM,
        controls=(c.BACKUP, c.CONTINUITY, c.NIS2_BACKUP, c.GDPR_RESILIENCE),
        find=_copies,
    ),
    Check(
        code="data.restores",
        title="Of every job something was restored or verified lately",
        why="Only a restore shows that a backup can be read, and that its password is the right one.",
        mend="Restore something small of each job that is named here.",
        severity=Severity.MEDIUM,
        controls=(c.BACKUP, c.GDPR_TESTING, c.NIS2_BACKUP),
        find=_restores,
    ),
    Check(
        code="data.immutable",
        title="Backups lie where they cannot be altered",
        why="Who breaks in deletes the backups first.",
        mend="Use an immutable or offline repository, and say so where the repository is named.",
        severity=Severity.MEDIUM,
        controls=(c.BACKUP, c.CONTINUITY, c.GDPR_RESILIENCE),
        find=_immutable,
    ),
    Check(
        code="drift.explained",
        title="Nothing was changed behind VeeamSec's back",
        why="A change that no request explains was seen by one pair of eyes at most.",
        mend="Find out who changed it; put it back, or explain it to Security.",
        severity=Severity.HIGH,
        controls=(c.CHANGE, c.CONFIGURATION, c.INCIDENTS),
        find=_drift,
    ),
)
