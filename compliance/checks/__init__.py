"""What should be so: each check a small declared thing over prepared facts (`CHECKS`, by their codes)."""

from collections.abc import Mapping

from compliance.checks import installation, jobs, passwords, people, servers
from compliance.checks.declared import Check, Line, Result, Severity, Status
from compliance.checks.facts import Facts

CHECKS: Mapping[str, Check] = {
    check.code: check
    for check in (
        *passwords.CHECKS,
        *jobs.CHECKS,
        *people.CHECKS,
        *servers.CHECKS,
        *installation.CHECKS,
    )
}

__all__ = ["CHECKS", "Check", "Facts", "Line", "Result", "Severity", "Status"]
