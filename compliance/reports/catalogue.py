"""Every report by its name: how it is called, what it needs, and who puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from compliance.errors import NotFound
from compliance.reports import breach, governance
from compliance.reports.document import Document

# Roles are mapped to it in accounts: a report names people, and what is open.
PERMISSION = "compliance.view_report"


@dataclass(frozen=True, slots=True)
class Kind:
    """One report: `wants` names what it is asked for, `told` whether it can be sent again and again."""

    name: str
    title: str
    lead: str
    build: Callable[[User, Mapping[str, str], datetime], Document]
    wants: tuple[str, ...] = ()
    told: bool = False


KINDS = {
    one.name: one
    for one in (
        Kind(
            governance.NAME,
            governance.TITLE,
            governance.LEAD,
            governance.build,
            ("since", "until"),
            told=True,
        ),
        Kind(
            breach.NAME,
            breach.TITLE,
            breach.LEAD,
            breach.build,
            ("repository", "job", "restore_point", "day"),
        ),
    )
}


def kind_of(name: str) -> Kind:
    """Return a report by its name. Raises NotFound."""
    if name not in KINDS:
        raise NotFound("There is no such report.")
    return KINDS[name]


def wanted_of(kind: Kind, given: Mapping[str, str]) -> dict[str, str]:
    """Return what a report is asked for, of all that was given; empty ones are left out."""
    return {name: str(given[name]) for name in kind.wants if given.get(name)}
