"""What somebody asks for, checked before anything is looked up: form, length, nothing left unsaid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict
from uuid import UUID

from accounts.models import Role, Title
from approvals.errors import Invalid
from approvals.models import Kind
from approvals.services.texts import text
from encryption.crypto.secret import Secret

MOST_JOBS = 500
MAX_TEXT = 2_000
MAX_HINT = 120
MAX_CUSTODY = 20
CUSTODY_TEXTS = ("medium", "place", "custodian")
CUSTODY_FLAGS = ("offsite", "offline")
_JOBS, _PASSWORD, _HINT = "jobs", "encryption_password", "hint"
_NEW = ("new_password", "generate", "custodian")
# What each kind may name, beside the reason; a parameter that would be ignored is refused instead.
TAKES: Mapping[str, frozenset[str]] = {
    Kind.ACTIVATE: frozenset({_JOBS, _PASSWORD, *_NEW, _HINT, "custody", "answers", "start"}),
    Kind.CHANGE: frozenset({_PASSWORD, *_NEW, _HINT, "scope", "custody", "answers", "start"}),
    Kind.DEACTIVATE: frozenset({_JOBS, "then", "answers"}),
    Kind.DELETE: frozenset({_PASSWORD, "answers"}),
    Kind.ADD_MEMBER: frozenset({"user", "title"}),
    Kind.REMOVE_MEMBER: frozenset({"member"}),
    Kind.REPLACE_MEMBER: frozenset({"member", "user", "title"}),
    Kind.GRANT: frozenset({"user", "role"}),
    Kind.REVOKE: frozenset({"user", "role"}),
    Kind.RESET: frozenset({"user"}),
    Kind.CHANGE_POLICY: frozenset({"scope", "policy"}),
    Kind.EXPLAIN: frozenset({"drift"}),
    Kind.REVERT: frozenset({"drift"}),
    Kind.ACTIVATE_KEYSET: frozenset({"keyset", "weeks"}),
    Kind.IMPORT_KEYSET: frozenset({"text", "passphrase"}),
    Kind.EXPORT_KEYSET: frozenset({"keyset", "passphrase"}),
    Kind.DELETE_KEYSET: frozenset({"keyset"}),
    Kind.REGISTER_SERVER: frozenset({"server"}),
    Kind.RECOVER_KEY: frozenset({"case"}),
    Kind.TAKE_KEYSET: frozenset({"text"}),
    Kind.RELEASE: frozenset({_PASSWORD, "version", "user"}),
    Kind.SUPPRESS: frozenset({"finding", "note", "until"}),
}
# What the kinds about people, rules and drifts cannot do without.
_NEEDED = frozenset(
    {"user", "member", "title", "role", "policy", "drift", "keyset", "server", "case", "text", "passphrase"}
    | {"finding", "note", "until"}
)
_ROLES = {"": "", "backup": Role.ADMINISTRATOR.value, "enterprise": Role.ENTERPRISE.value}


class Asked(TypedDict, total=False):
    """The fields of a request as a door hands them on."""

    reason: str
    jobs: Sequence[UUID]
    encryption_password: UUID | None
    new_password: Secret | str | None
    generate: bool
    custodian: UUID | None
    hint: str
    scope: str | UUID | None
    start: str
    then: str
    custody: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    user: UUID | None
    member: UUID | None
    title: str
    role: str
    policy: Mapping[str, Any] | None
    drift: UUID | None
    keyset: UUID | None
    server: UUID | None
    case: UUID | None
    text: str
    weeks: int
    version: int
    passphrase: Secret | str | None
    finding: UUID | None
    note: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked wish; whether a new password comes is said here, the password itself is not."""

    kind: str
    reason: str
    jobs: tuple[UUID, ...]
    encryption_password: UUID | None
    is_new_value: bool
    hint: str
    scope: str
    start: str
    then: str
    custody: tuple[dict[str, Any], ...]
    answers: tuple[dict[str, str], ...]
    user: UUID | None = None
    member: UUID | None = None
    title: str = ""
    role: str = ""
    # Where a policy is to hold; None is everywhere.
    place: UUID | None = None
    policy: Mapping[str, Any] | None = None
    drift: UUID | None = None
    keyset: UUID | None = None
    server: UUID | None = None
    case: UUID | None = None
    # A text that was carried here.
    text: str = ""
    weeks: int = 0
    # Of a password; 0 is the newest.
    version: int = 0
    # Whether one came; it is nowhere in the wish.
    passphrase: bool = False
    # A finding of the analyzer, why it may stand, and the day on which it shows again.
    finding: UUID | None = None
    note: str = ""
    until: date | None = None
    # Whether the worker makes the new password, and the account that it is handed to, if to any.
    generate: bool = False
    custodian: UUID | None = None


def read(kind: str, given: Asked) -> Wish:
    """Return the wish, or raise Invalid with what is missing or too much."""
    if kind not in TAKES:
        raise Invalid("There is no request of this kind.")
    for name, value in given.items():
        if name != "reason" and name not in TAKES[kind] and value not in (None, "", (), []):
            raise Invalid(f"A request of this kind takes no {name!r}.")
    rules_kind = kind == Kind.CHANGE_POLICY
    wish = Wish(
        kind=kind,
        reason=text(given.get("reason", ""), "The reason", MAX_TEXT),
        jobs=tuple(dict.fromkeys(given.get("jobs", ()))),
        encryption_password=given.get("encryption_password"),
        is_new_value=given.get("new_password") is not None or bool(given.get("generate")),
        hint=text(given.get("hint", ""), "The hint", MAX_HINT, blank=True, lines=False),
        scope="" if rules_kind else _one_of(given.get("scope") or "keys", "scope", ("keys", "data")),
        start=_one_of(given.get("start") or "next_run", "start", ("next_run", "now")),
        then=_one_of(given.get("then") or "keep", "then", ("keep", "delete")),
        custody=tuple(_custody(row) for row in given.get("custody", ())),
        answers=tuple(_answer(row) for row in given.get("answers", ())),
        user=given.get("user"),
        member=given.get("member"),
        title=_one_of(given.get("title") or "", "title", ("", *Title.values)),
        role=_ROLES[_one_of(given.get("role") or "", "role", tuple(_ROLES))],
        place=_place(given.get("scope")) if rules_kind else None,
        policy=given.get("policy"),
        drift=given.get("drift"),
        keyset=given.get("keyset"),
        server=given.get("server"),
        case=given.get("case"),
        text=given.get("text", ""),
        weeks=given.get("weeks") or 0,
        version=given.get("version") or 0,
        passphrase=bool(given.get("passphrase")),
        finding=given.get("finding"),
        note=text(given.get("note", ""), "The note", MAX_TEXT, blank=True),
        until=given.get("until"),
        generate=bool(given.get("generate")),
        custodian=given.get("custodian"),
    )
    if wish.generate and given.get("new_password") is not None:
        raise Invalid("Give a new password or have one generated: not both.")
    _check_whole(wish)
    return wish


def answers_to(questions: Sequence[str], wish: Wish) -> list[dict[str, str]]:
    """Return the answers in the order of the policy's questions.

    Raises Invalid for an answer to what was not asked, and, where a password comes into force, for a question
    left out.
    """
    given = {row["question"]: row["answer"] for row in wish.answers}
    if unknown := given.keys() - set(questions):
        raise Invalid(f"The procedure does not ask {min(unknown)!r}.")
    missing = [question for question in questions if question not in given]
    if missing and wish.kind in (Kind.ACTIVATE, Kind.CHANGE):
        raise Invalid(f"The procedure asks: {missing[0]}")
    return [{"answer": given[question], "question": question} for question in questions if question in given]


def _check_whole(wish: Wish) -> None:
    missing = [name for name in _NEEDED & TAKES[wish.kind] if not getattr(wish, name)]
    if missing:
        raise Invalid(f"Name the {min(missing)}.")
    if wish.kind in (Kind.ACTIVATE, Kind.DEACTIVATE) and not 1 <= len(wish.jobs) <= MOST_JOBS:
        raise Invalid(f"Name 1 to {MOST_JOBS} jobs.")
    if wish.kind in (Kind.CHANGE, Kind.DELETE) and wish.encryption_password is None:
        raise Invalid("Name the encryption password.")
    if wish.kind == Kind.CHANGE and not wish.is_new_value:
        raise Invalid("The new password is missing.")
    if wish.kind == Kind.ACTIVATE and wish.is_new_value == (wish.encryption_password is not None):
        raise Invalid("Name an encryption password or give a new one: exactly one of both.")
    if wish.kind == Kind.ACTIVATE and wish.is_new_value and not wish.hint:
        raise Invalid("A new password needs a hint by which people will know it.")
    _check_custody(wish)


def _check_custody(wish: Wish) -> None:
    if wish.custodian is not None and not wish.generate:
        raise Invalid("A custodian is handed a password that is generated, and no other.")
    handed = not wish.generate or wish.custodian is not None
    if wish.kind in (Kind.ACTIVATE, Kind.CHANGE) and handed and not wish.custody:
        raise Invalid("State who will hold the password: medium, place and custodian of at least one copy.")
    if wish.custody and not handed:
        raise Invalid("Shown to nobody, the password has no copies: name the custodian, or state no copy.")
    if len(wish.custody) > MAX_CUSTODY:
        raise Invalid(f"Name at most {MAX_CUSTODY} copies of the password.")


def _custody(row: Any) -> dict[str, Any]:
    if not isinstance(row, Mapping) or row.keys() != {*CUSTODY_TEXTS, *CUSTODY_FLAGS}:
        raise Invalid("Each copy of the password is stated by medium, place, offsite, offline and custodian.")
    if any(not isinstance(row[name], bool) for name in CUSTODY_FLAGS):
        raise Invalid("'offsite' and 'offline' are true or false.")
    texts = {name: text(row[name], f"A copy's {name}", MAX_HINT, lines=False) for name in CUSTODY_TEXTS}
    return texts | {name: row[name] for name in CUSTODY_FLAGS}


def _answer(row: Any) -> dict[str, str]:
    if not isinstance(row, Mapping) or row.keys() != {"question", "answer"}:
        raise Invalid("Each answer stands beside its question.")
    question = text(row["question"], "The question", MAX_TEXT)
    return {"answer": text(row["answer"], f"The answer to {question!r}", MAX_TEXT), "question": question}


def _place(scope: str | UUID | None) -> UUID | None:
    if scope is None or isinstance(scope, UUID):
        return scope
    try:
        return UUID(str(scope))
    except ValueError as error:
        raise Invalid("'scope' is the id of a repository, or null for everywhere.") from error


def _one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Invalid(f"'{name}' is {' or '.join(allowed)}.")
    return str(value)
