"""Checks about passwords and who keeps them; each denominator is all passwords that are not deleted."""

from collections.abc import Callable
from datetime import timedelta

from compliance.checks import controls as c
from compliance.checks.declared import Check, Line, Result, Severity, counted, unable
from compliance.checks.facts import Facts, PasswordFacts, VersionFacts

SHORTEST, WEAKEST = 12, 3
ROTATED_WITHIN = timedelta(days=365)
DRILLED_WITHIN = timedelta(days=365)
# One value that opens so many jobs is one loss for all of them.
MOST_JOBS = 10
NONE = "There is no encryption password yet."


def _each(
    facts: Facts, fault: Callable[[PasswordFacts, VersionFacts], str], said: str, *, kms: bool = False
) -> Result:
    """Judge the version in force of every password; `fault` says what is amiss of one, or nothing."""
    lines, asked = [], [one for one in facts.passwords if kms or not one.is_kms]
    for one in asked:
        why = "no version of it is in force here." if one.newest is None else fault(one, one.newest)
        if why:
            lines.append(Line(f"{one.hint}: {why}", "password", str(one.id)))
    good, total = len(asked) - len(lines), len(asked)
    return counted(good, total, f"{good} of {total} {said}" if total else NONE, lines)


def _approved(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        return "" if version.approved else "Security did not approve the version in force."

    return _each(facts, fault, "encryption passwords were approved by Security.", kms=True)


def _strength(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        if not version.held:
            return "its value is not known here, so it cannot be judged."
        if version.length == 0:
            return "its value was never judged."
        if version.length < SHORTEST:
            return f"shorter than {SHORTEST} characters."
        return "easy to guess." if version.strength < WEAKEST else ""

    held = [one for one in facts.passwords if not one.is_kms and one.newest and one.newest.held]
    if not held:
        return unable("No password's value is known here." if facts.passwords else NONE)
    return _each(facts, fault, "passwords are long and hard to guess.")


def _rotated(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        if version.since is None:
            return "when it was set is not known."
        days = (facts.now - version.since).days
        return "" if facts.now - version.since <= ROTATED_WITHIN else f"unchanged for {days} days."

    return _each(facts, fault, "passwords were changed within a year.")


def _leavers(facts: Facts) -> Result:
    here = {account.person for account in facts.accounts if account.human}

    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        knew = version.known_to | (one.custody.persons if one.custody else frozenset())
        if knew - here:
            return "somebody who knows it has left."
        return "" if version.asked_here else "no request set it, so who knows it cannot be told."

    return _each(facts, fault, "passwords are known only to people who are still here.")


def _shared(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        return "" if one.jobs <= MOST_JOBS else f"{one.jobs} jobs share it."

    return _each(facts, fault, f"passwords protect {MOST_JOBS} jobs at most.", kms=True)


def _copies(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        if one.custody is None or not any(one.custody.lights):
            return "nobody is stated to keep it."
        missing = [name for name, on in zip(_LIGHTS, one.custody.lights, strict=True) if not on]
        return f"not enough: {', '.join(missing)}." if missing else ""

    return _each(facts, fault, "passwords are kept by the rule 3-2-1-1-0.")


def _proved(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        return "" if one.custody and one.custody.secured else "nobody but who asked for it has proved it."

    return _each(facts, fault, "passwords were proved by a custodian who did not ask for them.")


def _drilled(facts: Facts) -> Result:
    def fault(one: PasswordFacts, version: VersionFacts) -> str:
        at = one.custody.drilled_at if one.custody else None
        return "" if at and facts.now - at <= DRILLED_WITHIN else "no drill within a year."

    return _each(facts, fault, "passwords were drilled within a year.")


_LIGHTS = ("copies", "media", "elsewhere", "offline", "proved")
_CUSTODY = (c.CRYPTOGRAPHY, c.CONTINUITY, c.GDPR_RESTORE)

CHECKS = (
    Check(
        code="passwords.approved",
        title="Every encryption password was approved by Security",
        why="One person alone can set a password, lose it or take it away; two look at each other.",
        mend="Ask for a change of each password that is named here, and have Security decide on it.",
        severity=Severity.HIGH,
        controls=(c.SEGREGATION, c.CRYPTOGRAPHY, c.CHANGE, c.GDPR_ENCRYPTION, c.NIS2_CRYPTOGRAPHY),
        find=_approved,
    ),
    Check(
        code="passwords.strength",
        title="Passwords are long and hard to guess",
        why="Who holds a backup file guesses for years, as fast as they like, and nobody notices.",
        mend="Change each password that is named here to a longer one, best a generated one.",
        severity=Severity.HIGH,
        controls=(c.AUTHENTICATION, c.CRYPTOGRAPHY),
        find=_strength,
    ),
    Check(
        code="passwords.rotated",
        title="Passwords were changed within a year",
        why="The longer a password is in force, the more people and places have seen it.",
        mend="Ask for a change of each password that is named here.",
        severity=Severity.MEDIUM,
        controls=(c.AUTHENTICATION, c.CRYPTOGRAPHY),
        find=_rotated,
    ),
    Check(
        code="passwords.leavers",
        title="Nobody who left still knows a password",
        why="Who has left the house still knows what they knew.",
        mend="Ask for a change of each password that is named here; name other custodians.",
        severity=Severity.HIGH,
        controls=(c.LEAVING, c.RIGHTS, c.AUTHENTICATION),
        find=_leavers,
    ),
    Check(
        code="passwords.shared",
        title="No password is shared by too many jobs",
        why="One lost password is the loss of every job that shares it.",
        mend="Ask for passwords of their own for some of the jobs.",
        severity=Severity.LOW,
        controls=(c.CRYPTOGRAPHY, c.AUTHENTICATION),
        find=_shared,
    ),
    Check(
        code="custody.copies",
        title="Passwords are kept by the rule 3-2-1-1-0",
        why="A password that only one person or one place has is lost with them, and the backups with it.",
        mend="State three copies on two media, one elsewhere and one offline, and have each proved.",
        severity=Severity.HIGH,
        controls=_CUSTODY,
        find=_copies,
    ),
    Check(
        code="custody.proved",
        title="A custodian has proved every password",
        why="A copy that nobody ever tried may be of another password.",
        mend="Have a custodian who did not ask for it type each password from their copy, on their own page.",
        severity=Severity.HIGH,
        controls=_CUSTODY,
        find=_proved,
    ),
    Check(
        code="custody.drilled",
        title="Every password was drilled within a year",
        why="Paper fades and safes are cleared out: a drill shows that the copy is still there and right.",
        mend="Have each custodian type their password once more as a drill.",
        severity=Severity.MEDIUM,
        controls=(*_CUSTODY, c.GDPR_TESTING),
        find=_drilled,
    ),
)
