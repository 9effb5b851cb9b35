"""Preparing the facts that all checks look at, in a number of queries that no installation's size changes."""

from datetime import datetime

from compliance.checks.facts import Facts
from compliance.services.gathering import installation, jobs, passwords, people, places


def gather(now: datetime) -> Facts:
    """Return the facts at a moment."""
    versions = passwords.versions()
    found_jobs = jobs.gather(now)
    return Facts(
        now=now,
        jobs=found_jobs,
        versions=versions,
        passwords=passwords.gather(versions, found_jobs, now),
        accounts=people.accounts(now),
        policies=people.policies(),
        requests=people.requests(now),
        tokens=people.tokens(now),
        servers=places.servers(),
        drifts=places.drifts(),
        changes=places.changes(now),
        guarded_since=places.guarded_since(),
        keyset=places.keyset(),
        installation=installation.look(),
    )
