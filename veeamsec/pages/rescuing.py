"""Requests about recovery and about what was found, as people read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from approvals import rules
from approvals.models import Kind
from approvals.statement import Statement
from recovery.documents.forms import in_groups
from veeamsec.pages import words
from veeamsec.pages.sheet import Change, Link

KINDS = frozenset({*rules.ABOUT_RECOVERY, Kind.RELEASE, Kind.EXPLAIN, Kind.REVERT, Kind.SUPPRESS})

_TITLES: Mapping[str, str] = {
    Kind.ACTIVATE_KEYSET: "Activate the keyset {}",
    Kind.IMPORT_KEYSET: "Import the keyset {}",
    Kind.EXPORT_KEYSET: "Export the keyset {}",
    Kind.DELETE_KEYSET: "Delete the keyset {}",
    Kind.TAKE_KEYSET: "Take another installation's keyset {}",
    Kind.REGISTER_SERVER: "Register the backup server {}",
    Kind.RECOVER_KEY: "Open keys for {}",
    Kind.RELEASE: "Release the password {}",
    Kind.EXPLAIN: "Accept what was found at {}",
    Kind.SUPPRESS: "Suppress the finding “{}”",
    Kind.REVERT: "Put back what was changed at {}",
}
_WAYS = {"activate": "the former password again", "change": "the former value", "deactivate": "off again"}


def title(said: Statement) -> str:
    """One line that says what is asked for."""
    name = said.change.get("server_name") or _subject(said)
    return _TITLES[said.kind].format(name)


def changes(said: Statement) -> list[Change]:
    """What becomes of what."""
    change = said.change
    if said.kind == Kind.RECOVER_KEY:
        return [
            Change("Case", str(change["number"]) or "without a number"),
            Change("Backup server", str(change["server_name"])),
            Change("Keys", f"of {words.count(int(change['keys']), 'restore point')} are opened"),
            Change("Good", "once, and for a week"),
        ]
    if said.kind == Kind.REGISTER_SERVER:
        return [
            Change("Backup server", str(change["name"])),
            Change("Fingerprint", in_groups(str(change["fingerprint"])), digest=True),
        ]
    if said.kind == Kind.TAKE_KEYSET:
        return announced(said.change)
    if said.kind == Kind.RELEASE:
        return [
            Change("Password", f"“{change['hint']}” · version {change['version']}"),
            Change("Is shown to", str(change["name"])),
            Change("Where", "on their own page, once, within a week"),
        ]
    if said.kind == Kind.SUPPRESS:
        return _finding(said)
    if said.kind in rules.ABOUT_RECOVERY:
        return _keyset(said)
    return _drift(said)


def announced(change: Mapping[str, Any]) -> list[Change]:
    """What another installation's announcement says, the fingerprint that is compared first."""
    since, until = (datetime.fromisoformat(str(change[name])) for name in ("activated", "expires"))
    return [
        Change("Fingerprint", in_groups(str(change["fingerprint"])), digest=True),
        Change("Keyset", str(change["description"]) or str(change["keyset"]), note=str(change["suite"])),
        Change("In force", f"{since:%-d %B %Y} to {until:%-d %B %Y}"),
        Change("Enterprise Manager", str(change["enterprise"])),
        Change("Its key", in_groups(str(change["enterprise_key_sha256"])), digest=True),
        *([Change("The one in force", "retires")] if change["retires"] else ()),
    ]


def _keyset(said: Statement) -> list[Change]:
    change = said.change
    found = [Change("Keyset", _subject(said), note=str(change["suite"]))]
    if said.kind == Kind.ACTIVATE_KEYSET:
        found.append(Change("In force", f"for {words.count(int(change['weeks']), 'week')}"))
        if change["retires"]:
            found.append(Change("The one in force", "retires, and still recovers what it protects"))
    elif said.kind == Kind.EXPORT_KEYSET:
        found.append(Change("Private half", "leaves the house, under a passphrase"))
    elif said.kind == Kind.DELETE_KEYSET:
        found.append(Change("Private half", "is destroyed"))
        found.append(Change("An export", "exists" if change["exported"] else "was never made"))
    else:
        found.append(Change("Private half", "comes in, and stays inactive"))
    return found


def _finding(said: Statement) -> list[Change]:
    change, until = said.change, datetime.fromisoformat(str(said.change["until"]))
    page = Link(str(change["title"]), reverse("finding", args=[change["finding"]]))
    return [
        Change("Check", links=(page,)),
        Change("Found", str(change["summary"])),
        Change("Shows", before="as it is", after=f"as suppressed, until {until:%-d %B %Y}"),
        Change("Note", str(change["note"]), whole=True),
    ]


def _drift(said: Statement) -> list[Change]:
    job = next((one for one in said.targets if one["type"] == "job"), None)
    where = (Link(str(job["name"]), reverse("job", args=[job["id"]])),) if job else ()
    found = [Change("Where", "" if where else _subject(said), links=where)]
    if said.kind == Kind.REVERT:
        found.append(Change("Becomes", _WAYS[str(said.change["action"])]))
    else:
        found.append(Change("Stays", "as it was found, without the badge"))
    return found


def _subject(said: Statement) -> str:
    order = ("finding", "drift", "keyset", "server", "case", "password")
    named = {str(one["type"]): str(one["name"]) for one in said.targets}
    return next((named[kind] for kind in order if kind in named), "")
