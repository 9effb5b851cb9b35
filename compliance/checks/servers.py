"""Checks about Veeam servers, by what they say of themselves."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from compliance.checks import controls as c
from compliance.checks.declared import Check, Line, Result, Severity, counted, unable
from compliance.checks.facts import Facts, ServerFacts

ANALYZED_WITHIN = timedelta(days=7)
NO_SERVER = "No Veeam server is connected."


def _servers(
    facts: Facts, fault: Callable[[ServerFacts], str], said: str, known: Callable[[ServerFacts], bool]
) -> Result:
    """Judge every connected server; where none says anything, nothing is detected."""
    if not facts.servers:
        return unable(NO_SERVER)
    if not any(known(one) for one in facts.servers):
        return unable("No server was allowed to say it.")
    lines = [
        Line(f"{one.name}: {why}", "server", str(one.id))
        for one in facts.servers
        if (why := fault(one) if known(one) else "it could not be read.")
    ]
    good, total = len(facts.servers) - len(lines), len(facts.servers)
    return counted(good, total, f"{good} of {total} {said}", lines)


def _said(part: Mapping[str, Any]) -> bool:
    return bool(part) and not part.get("unchecked")


def _enforced(facts: Facts) -> Result:
    def fault(one: ServerFacts) -> str:
        if not one.enforced:
            return "is only watched."
        if not _said(one.enforcement):
            return "is held as enforced, but who else may change it is not known."
        others = one.enforcement.get("count", len(one.enforcement.get("others", ())))
        return f"{others} others may change passwords or jobs there." if others else ""

    return _servers(facts, fault, "Veeam servers are enforced.", lambda one: True)


def _configuration(facts: Facts) -> Result:
    def fault(one: ServerFacts) -> str:
        if not one.configuration_backup.get("enabled"):
            return "its configuration backup is off."
        return (
            "" if one.configuration_backup.get("encrypted") else "its configuration backup is not encrypted."
        )

    said = "servers back up their configuration, encrypted."
    return _servers(facts, fault, said, lambda one: _said(one.configuration_backup))


def _forwarding(facts: Facts) -> Result:
    def fault(one: ServerFacts) -> str:
        if not one.forwarding.get("ours"):
            return "does not send its events here."
        muted = one.forwarding.get("muted")
        return f"{len(muted)} kinds of events are muted." if muted else ""

    return _servers(facts, fault, "servers send their events here.", lambda one: _said(one.forwarding))


def _tiers(facts: Facts) -> Result:
    total = sum(one.tiers for one in facts.servers)
    if not total:
        return unable("No tier in the cloud or archive is known.")
    if total == sum(len(one.silent_tiers) for one in facts.servers):
        return unable("No tier says whether it is encrypted: archive tiers do since revision 1.3-rev2.")
    lines = [
        Line(f"{one.name}: {name} {why}", "server", str(one.id))
        for one in facts.servers
        for names, why in (
            (one.plain_tiers, "is not encrypted."),
            (one.silent_tiers, "does not say whether it is encrypted."),
        )
        for name in names
    ]
    good = total - len(lines)
    return counted(good, total, f"{good} of {total} cloud and archive tiers are encrypted.", lines)


_WORDS = {
    "Suppressed": "suppressed in Veeam, by one person and without an end",
    "Violation": "not implemented",
}


def _products(facts: Facts) -> Result:
    items = [(one, item) for one in facts.servers for item in one.analyzer.get("items", ())]
    if not items:
        return unable("No result of Veeam's own analyzer was read." if facts.servers else NO_SERVER)
    lines = [
        Line(f"{one.name}: no result was read.", "server", str(one.id))
        for one in facts.servers
        if not one.analyzer.get("items")
    ]
    total = len(items) + len(lines)
    for one, item in items:
        status = item.get("status")
        if status != "OK":
            text = item.get("text") or item.get("practice") or item.get("bestPractice", "")
            said = f"{one.name}: {text}: {_WORDS.get(status, 'unable to detect')}."
            lines.append(Line(said, "server", str(one.id)))
    good = total - len(lines)
    said = f"{good} of {len(items)} checks of Veeam's own analyzer are passed."
    return counted(good, total, said, lines)


def _analyzed(facts: Facts) -> Result:
    def fault(one: ServerFacts) -> str:
        last = one.analyzer.get("last_run") or {}
        if not last.get("ended_at"):
            return "Veeam's analyzer never ran to its end."
        if last.get("result") == "Failed":
            return "Veeam's analyzer failed."
        late = facts.now - datetime.fromisoformat(last["ended_at"]) > ANALYZED_WITHIN
        return "Veeam's analyzer did not run within a week." if late else ""

    return _servers(
        facts, fault, "servers ran Veeam's analyzer within a week.", lambda one: _said(one.analyzer)
    )


CHECKS = (
    Check(
        code="servers.enforced",
        title="Every Veeam server is enforced",
        why="On a server that is only watched, one administrator can still change a password alone.",
        mend="Take those roles away in Veeam, then set the server to enforced.",
        severity=Severity.HIGH,
        controls=(c.PRIVILEGED, c.SEGREGATION, c.NIS2_ACCESS),
        find=_enforced,
    ),
    Check(
        code="servers.configuration_backup",
        title="Veeam's configuration backup is on and encrypted",
        why="It holds every encryption password; without it a lost server takes them all.",
        mend="Switch it on and encrypt it, at the server.",
        severity=Severity.HIGH,
        controls=(c.BACKUP, c.CRYPTOGRAPHY),
        find=_configuration,
    ),
    Check(
        code="servers.forwarding",
        title="Veeam servers send their events here",
        why="What is not told cannot be reconciled with a request.",
        mend="Name this installation as the server's syslog receiver, and mute none of the events.",
        severity=Severity.MEDIUM,
        controls=(c.LOGGING, c.EVIDENCE),
        find=_forwarding,
    ),
    Check(
        code="servers.tiers",
        title="Cloud and archive tiers are encrypted",
        why="What is moved to somebody else's computer should be of no use to them.",
        mend="Encrypt the tier at the server, under an approved password.",
        severity=Severity.HIGH,
        controls=(c.CRYPTOGRAPHY, c.GDPR_ENCRYPTION),
        find=_tiers,
    ),
    Check(
        code="servers.product_checks",
        title="The checks of Veeam's own analyzer are passed",
        why="They look at what only the server itself can see.",
        mend="Follow Veeam's advice for each check that is named here.",
        severity=Severity.MEDIUM,
        controls=(c.CONFIGURATION, c.NIS2_EFFECTIVENESS),
        find=_products,
    ),
    Check(
        code="servers.analyzed",
        title="Veeam's own analyzer ran within a week",
        why="An old result says nothing about today.",
        mend="Schedule it at the server, or start it from the server's page.",
        severity=Severity.LOW,
        controls=(c.CONFIGURATION, c.GDPR_TESTING),
        find=_analyzed,
    ),
)
