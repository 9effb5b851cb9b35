"""Checks about who decides: seats, roles, policies, decisions, factors, tokens."""

from datetime import timedelta

from compliance.checks import controls as c
from compliance.checks.declared import Check, Line, Result, Severity, Status, counted, unable
from compliance.checks.facts import AccountFacts, Facts

ADVISED_SEATS = 3
LONGEST_TOKEN = timedelta(days=366)
APART = frozenset({"operator", "administrator", "enterprise"})


def _seats(facts: Facts) -> Result:
    seats = [one for one in facts.accounts if one.seated]
    active = [one for one in seats if not one.suspended and one.human]
    good = [one for one in active if one.factor]
    lines = [
        Line("holds a seat without a second factor.", "account", str(one.id))
        for one in active
        if not one.factor
    ]
    lines += [Line("is suspended.", "account", str(one.id)) for one in seats if one.suspended]
    if len(seats) < ADVISED_SEATS:
        lines.append(Line(f"{ADVISED_SEATS} seats are advised: one may be away.", "people"))
    said = f"{len(good)} active seats with a second factor; {ADVISED_SEATS} are advised."
    return counted(len(good), max(ADVISED_SEATS, len(seats)), said, lines)


def _separation(facts: Facts) -> Result:
    by_person: dict[str, list[AccountFacts]] = {}
    for one in facts.accounts:
        by_person.setdefault(str(one.person), []).append(one)
    seated = {str(one.person) for one in facts.accounts if one.seated}
    lines = [
        Line("sits in Security and works with backups.", "person", person)
        for person in sorted(seated)
        if any(one.roles & APART or one.superuser for one in by_person[person])
    ]
    good = len(seated) - len(lines)
    said = f"{good} of {len(seated)} members of Security hold no other office."
    return counted(good, len(seated), said if seated else "There is no member of Security yet.", lines)


def _four_eyes(facts: Facts) -> Result:
    seats = len({one.person for one in facts.accounts if one.seated and not one.suspended and one.human})
    lines = []
    for one in facts.policies:
        if one.quorum is None:
            lines.append(Line(f"{one.place}: no policy is in force.", "policies"))
        elif seats < max(2, one.quorum + 1):
            lines.append(
                Line(f"{one.place}: {one.quorum} approvals are needed of {seats} members.", "policies")
            )
    good, total = len(facts.policies) - len(lines), len(facts.policies)
    return counted(good, total, f"Four eyes hold in {good} of {total} places.", lines)


def _administrators(facts: Facts) -> Result:
    quick = [one for one in facts.requests if not one.security]
    lines = []
    for one in quick:
        minutes = int((one.decided - one.asked).total_seconds() // 60) if one.decided else 0
        said = f"R-{one.number} was approved by an administrator alone, {minutes} minutes after it was asked."
        lines.append(Line(said, "request", str(one.id)))
    good, total = len(facts.requests) - len(quick), len(facts.requests)
    said = f"{good} of {total} changes within 90 days were approved by Security."
    return counted(good, total, said if total else "No change was executed within 90 days.", lines)


def _factors(facts: Facts) -> Result:
    humans = [one for one in facts.accounts if one.human]
    lines = [Line("has no second factor.", "account", str(one.id)) for one in humans if not one.factor]
    lax = [one for one in facts.policies if one.quorum is not None and not one.mfa]
    good = len(humans) - len(lines)
    lines += [Line(f"{one.place}: the policy lets people decide without one.", "policies") for one in lax]
    said = f"{good} of {len(humans)} people sign in with a second factor."
    return counted(good, len(humans) + len(lax), said, lines)


def _tokens(facts: Facts) -> Result:
    if not facts.tokens:
        return Result(Status.PASSED, "No token is in use.")
    long = [one for one in facts.tokens if one.expiry is None or one.expiry - one.created > LONGEST_TOKEN]
    lines = [
        Line(
            "A token never ends." if one.expiry is None else "A token is good for more than a year.",
            "token",
            str(one.ref),
        )
        for one in long
    ]
    good, total = len(facts.tokens) - len(long), len(facts.tokens)
    return counted(good, total, f"{good} of {total} tokens end within a year of their making.", lines)


def _changes(facts: Facts) -> Result:
    found = facts.changes
    if not found.total:
        return unable("No Veeam server has told of a change within 90 days.")
    lines = []
    if found.owned:
        lines.append(Line(f"{found.owned:,} are exceptions that somebody answers for.", "servers"))
    if found.unowned:
        lines.append(Line(f"{found.unowned:,} are exceptions that nobody answers for.", "servers"))
    if found.waiting:
        lines.append(Line(f"{found.waiting:,} wait to be looked at.", "servers"))
    said = f"{found.settled:,} of {found.total:,} changes within 90 days belong to an executed request."
    return counted(found.settled, found.total, said, lines)


CHECKS = (
    Check(
        code="security.seats",
        title="Three active members of Security, each with a second factor",
        why="With two, one absence stops every change; without a second factor a password is enough.",
        mend="Ask for another seat; have each member set up a passkey.",
        severity=Severity.HIGH,
        controls=(c.SEGREGATION, c.SIGN_IN, c.NIS2_MFA),
        find=_seats,
    ),
    Check(
        code="security.separation",
        title="Members of Security hold no other office",
        why="Who works with backups and decides on them is one pair of eyes.",
        mend="Take the other roles away, or replace the member.",
        severity=Severity.HIGH,
        controls=(c.SEGREGATION, c.PRIVILEGED, c.NIS2_ACCESS),
        find=_separation,
    ),
    Check(
        code="policies.four_eyes",
        title="Four eyes are in force in every place",
        why="A place without a policy that can be met is one where nothing is decided, or by nobody.",
        mend="Ask for a policy, or for more seats of Security.",
        severity=Severity.HIGH,
        controls=(c.SEGREGATION, c.CHANGE, c.CRYPTOGRAPHY),
        find=_four_eyes,
    ),
    Check(
        code="requests.by_security",
        title="Changes are approved by Security, not by an administrator alone",
        why="An administrator's approval works, but both pairs of eyes are then of the backup team.",
        mend="Have Security decide; or ask for a policy under which only Security does.",
        severity=Severity.MEDIUM,
        controls=(c.SEGREGATION, c.CHANGE),
        find=_administrators,
    ),
    Check(
        code="people.factors",
        title="Everybody signs in with a second factor",
        why="A password alone is guessed, seen or given away.",
        mend="Have each person who is named here set up a passkey or an authenticator app.",
        severity=Severity.HIGH,
        controls=(c.SIGN_IN, c.AUTHENTICATION, c.NIS2_MFA),
        find=_factors,
    ),
    Check(
        code="people.tokens",
        title="Tokens end",
        why="A token that never ends is a key that nobody takes back.",
        mend="Revoke it, and make one that ends within a year.",
        severity=Severity.LOW,
        controls=(c.ACCESS, c.AUTHENTICATION),
        find=_tokens,
    ),
    Check(
        code="changes.reconciled",
        title="Every change at Veeam belongs to a request",
        why="What Veeam's own log tells, and no executed request explains, was done past the four eyes.",
        mend="Open the server's reconciliation, and find out who did it.",
        severity=Severity.HIGH,
        controls=(c.CHANGE, c.LOGGING, c.EVIDENCE, c.NIS2_EFFECTIVENESS),
        find=_changes,
    ),
)
