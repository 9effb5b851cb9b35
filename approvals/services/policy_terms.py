"""The rules of a policy as plain values: read strictly, compared, put into words."""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import Title
from approvals.errors import Invalid
from approvals.models import Policy
from approvals.services.texts import text
from approvals.services.wishes import MAX_TEXT

MOST_PERSONS = 20
MOST_QUESTIONS = 20
MAX_PROCEDURE = 20_000
# What a clock can be set to: a week to execute at most, for the world has moved on by then.
DECIDE_DAYS, EXECUTE_HOURS, FULLS = (1, 30), (1, 168), (1, 1_000)


def of(policy: Policy) -> dict[str, Any]:
    """Return the rules of a stored policy, written as `read` writes them."""
    stored = {name: getattr(policy, name) for name in NAMES}
    return stored | {"procedure_text": policy.procedure_text.strip()}


def read(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return whole rules: what is given, and `before` for the rest. Invalid for what cannot be."""
    if unknown := sorted(set(given) - set(NAMES)):
        raise Invalid(f"A policy has no {unknown[0]!r}.")
    merged = {**before, **given}
    if missing := [name for name in NAMES if name not in merged]:
        raise Invalid(f"The policy lacks {missing[0]!r}.")
    terms = {name: RULES[name](merged[name], name) for name in NAMES}
    advising = set(terms["advising_titles"])
    if any(pool["title"] in advising for pool in terms["pools"]):
        raise Invalid("An office that only advises fills no pool: its consent does not count.")
    return terms


def difference(name: str, before: Any, after: Any) -> str:
    """Say one changed rule in words."""
    label = LABELS[name]
    if name in ("procedure_text", "procedure_questions"):
        return f"{label} changed."
    return f"{label}: {_words(before)} → {_words(after)}."


def _number(least: int, most: int) -> Callable[[Any, str], int]:
    def read_number(value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(f"'{name}' is a number from {least} to {most}.")
        return value

    return read_number


def _truth(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"'{name}' is true or false.")
    return value


def _pools(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or any(
        not isinstance(pool, Mapping) or pool.keys() != {"title", "count"} for pool in value
    ):
        raise Invalid("'pools' is a list of {title, count}.")
    pools = [
        {"count": _number(1, MOST_PERSONS)(pool["count"], "count"), "title": _title(pool["title"], name)}
        for pool in value
    ]
    if len({pool["title"] for pool in pools}) != len(pools):
        raise Invalid("Each office stands in one pool.")
    return sorted(pools, key=lambda pool: str(pool["title"]))


def _titles(value: Any, name: str) -> list[str]:
    if not isinstance(value, list):
        raise Invalid(f"'{name}' is a list of offices.")
    return sorted({_title(title, name) for title in value})


def _title(value: Any, name: str) -> str:
    if value not in Title.values:
        raise Invalid(f"'{name}' names the offices {', '.join(Title.values)}.")
    return str(value)


def _procedure(value: Any, name: str) -> str:
    return text(value, "The procedure", MAX_PROCEDURE)


def _questions(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_QUESTIONS:
        raise Invalid(f"'{name}' is a list of at most {MOST_QUESTIONS} questions.")
    questions = [text(question, "A question", MAX_TEXT) for question in value]
    if len(set(questions)) != len(questions):
        raise Invalid("Each question is asked once.")
    return questions


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        parts = [
            f"{one['count']} {Title(one['title']).label}" if isinstance(one, Mapping) else Title(one).label
            for one in value
        ]
        return " and ".join(parts) or "none"
    return str(value)


RULES: Mapping[str, Callable[[Any, str], Any]] = {
    "quorum": _number(1, MOST_PERSONS),
    "pools": _pools,
    "advising_titles": _titles,
    "administrators_may_approve": _truth,
    "mfa_required": _truth,
    "decide_days": _number(*DECIDE_DAYS),
    "execute_hours": _number(*EXECUTE_HOURS),
    "fulls_a_night": _number(*FULLS),
    "number_in_description": _truth,
    "custody_proof": _truth,
    "procedure_text": _procedure,
    "procedure_questions": _questions,
}
NAMES = tuple(RULES)
LABELS: Mapping[str, str] = {
    "quorum": "Approvals needed",
    "pools": "Offices that must approve",
    "advising_titles": "Offices that only advise",
    "administrators_may_approve": "Backup administrators may approve",
    "mfa_required": "A second factor is demanded",
    "decide_days": "Days to decide",
    "execute_hours": "Hours to execute",
    "fulls_a_night": "New full backups a night",
    "custody_proof": "A custodian proves a new password before it is executed",
    "number_in_description": "A Veeam job's description names the request",
    "procedure_text": "The text of the procedure",
    "procedure_questions": "The questions of the procedure",
}
