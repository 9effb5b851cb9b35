"""Every report by its name: how it is called, what it needs, and who puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from compliance.errors import NotFound
from compliance.reports import analysis, breach, dossier, governance, names, register
from compliance.reports.document import Document

# Roles are mapped to it in accounts: a report names people, and what is open.
PERMISSION = "compliance.view_report"


@dataclass(frozen=True, slots=True)
class Kind:
    """One report: `wants` names what it is asked for; `told`: sent again and again; `packs`: as a zip."""

    name: str
    title: str
    lead: str
    build: Callable[[User, Mapping[str, str], datetime], Document]
    wants: tuple[str, ...] = ()
    told: bool = False
    packs: bool = False


def _kind(module: Any, *wants: str, told: bool = False, packs: bool = False) -> Kind:
    return Kind(module.NAME, module.TITLE, module.LEAD, module.build, wants, told, packs)


KINDS = {
    one.name: one
    for one in (
        _kind(governance, "since", "until", told=True),
        _kind(breach, "repository", "job", "restore_point", "day"),
        _kind(dossier, "request", packs=True),
        _kind(register, told=True),
        _kind(analysis, told=True),
        _kind(names, told=True),
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
