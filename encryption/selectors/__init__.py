"""The reads that pages, API, admin and requests share."""

from encryption.selectors.jobs import (
    job_detail,
    jobs_for,
    jobs_named,
    may,
    points_of,
    repositories_for,
    restore_point_for,
    restore_points,
    sessions,
    use_of,
)
from encryption.selectors.passwords import (
    VersionUse,
    current_version,
    jobs_of_password,
    key_step,
    newest_version,
    passwords_for,
    rekey_for,
    running_rekey,
    version_of_user_key,
    versions_of,
    versions_of_password,
)
from encryption.selectors.statement import (
    consequences,
    target_facts,
)

__all__ = [
    "VersionUse",
    "consequences",
    "current_version",
    "job_detail",
    "jobs_for",
    "jobs_named",
    "jobs_of_password",
    "key_step",
    "may",
    "newest_version",
    "passwords_for",
    "points_of",
    "rekey_for",
    "repositories_for",
    "restore_point_for",
    "restore_points",
    "running_rekey",
    "sessions",
    "target_facts",
    "use_of",
    "version_of_user_key",
    "versions_of",
    "versions_of_password",
]
