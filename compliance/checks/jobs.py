"""Checks about jobs; each denominator is all jobs, governed or not."""

from compliance.checks.declared import Check, Line, Result, Severity, counted
from compliance.checks.facts import Facts


def _encrypted(facts: Facts) -> Result:
    plain = [job for job in facts.jobs if job.password is None]
    good, total = len(facts.jobs) - len(plain), len(facts.jobs)
    lines = [Line(f"{job.name} writes in clear.", "job", str(job.id)) for job in plain]
    said = f"{good} of {total} jobs are encrypted." if total else "There is no job yet."
    return counted(good, total, said, lines)


ENCRYPTED = Check(
    code="jobs.encrypted",
    title="Every job is encrypted",
    why="A backup in clear is the whole of the data in the hands of whoever takes the medium.",
    mend="Ask for encryption to be activated for each job that is named here.",
    severity=Severity.HIGH,
    controls=("ISO/IEC 27001:2022 A.8.13", "ISO/IEC 27001:2022 A.8.24", "GDPR Art. 32(1)(a)"),
    find=_encrypted,
)

CHECKS = (ENCRYPTED,)
