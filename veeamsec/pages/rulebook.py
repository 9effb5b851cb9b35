"""The rules of a policy in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Title
from approvals.models import Policy
from veeamsec.pages import words

# Rules that are texts: shown whole, never beside their former.
WHOLE = frozenset({"procedure_text", "procedure_questions"})
OFFICES: Mapping[str, str] = {Title.DPO: "DPO", Title.CISO: "CISO", Title.OTHER: "other member"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as a sentence."""

    icon: str
    words: str
    tone: str = ""


def rules_of(policy: Policy) -> list[Rule]:
    """The rules of a policy, one sentence each."""
    found = [Rule("users", _quorum(policy))]
    if policy.pools:
        found.append(Rule("shield-check", f"Those who approve must include {_people(policy.pools)}."))
    if policy.advising_titles:
        named = " and ".join(OFFICES[title] for title in policy.advising_titles)
        found.append(Rule("info-circle", f"{named} may advise and reject; their approval does not count."))
    return [
        *found,
        _administrators(policy),
        _factor(policy),
        *_proof(policy),
        Rule("clock", f"Who decides has {words.count(policy.decide_days, 'day')}; then a request expires."),
        Rule(
            "refresh",
            f"What is approved begins within {words.count(policy.execute_hours, 'hour')}, or it lapses.",
        ),
        Rule(
            "database",
            f"At most {words.count(policy.fulls_a_night, 'new full backup')} a night for changes of keys.",
        ),
    ]


def value(given: Any) -> str:
    """One value of a rule, in words."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        return f"{given:,}"
    if not given:
        return "none"
    if isinstance(given[0], Mapping):
        return _people(given)
    if all(one in OFFICES for one in given):
        return " and ".join(OFFICES[one] for one in given)
    return "\n".join(str(one) for one in given)


def _quorum(policy: Policy) -> str:
    if policy.quorum == 1:
        return "One approval is enough, by another person than the one who asked."
    return f"{policy.quorum} persons must approve, none of whom asked."


def _people(pools: list[Mapping[str, Any]]) -> str:
    return " and ".join(f"{pool['count']} {OFFICES[pool['title']]}" for pool in pools)


def _administrators(policy: Policy) -> Rule:
    if policy.administrators_may_approve:
        text = "A Backup administrator may approve too, without the badge; never a change of people or rules."
        return Rule("user-check", text)
    return Rule("user-check", "Only Security approves.")


def _factor(policy: Policy) -> Rule:
    if policy.mfa_required:
        return Rule("fingerprint", "Every decision is confirmed with a second factor.")
    return Rule("forms", "A decision may be confirmed with a password alone.", "wait")


def _proof(policy: Policy) -> list[Rule]:
    if not policy.custody_proof:
        return []
    text = "A custodian who did not ask proves a new password from their copy before anything is begun."
    return [Rule("key", text)]
