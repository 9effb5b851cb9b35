"""Requests about people and rules as people read them: about whom, what they become, by which proof."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from accounts.models import Role, Title
from approvals import rules
from approvals.models import Kind, Policy
from approvals.services import policy_terms
from approvals.statement import Statement
from veeamsec.pages import rulebook, words
from veeamsec.pages.sheet import Change, Link

KINDS = frozenset({*rules.ABOUT_PEOPLE, Kind.CHANGE_POLICY})
# Consequences that the list of changes says already.
SHOWN_ABOVE = frozenset({"rule"})


def title(said: Statement) -> str:
    """One line that says what is asked for."""
    who = _name(said, "user") or _name(said, "member")
    office = said.change.get("role", "")
    match said.kind:
        case Kind.ADD_MEMBER:
            return f"Seat {who} in Security"
        case Kind.REMOVE_MEMBER:
            return f"End the seat of {who} in Security"
        case Kind.REPLACE_MEMBER if _is_same(said):
            return f"Admit the passkeys of {who} anew"
        case Kind.REPLACE_MEMBER:
            return f"Replace {_name(said, 'member')} by {_joining(said)} in Security"
        case Kind.GRANT:
            return f"Make {who} a {Role(office).label}"
        case Kind.REVOKE:
            return f"Take the office of {Role(office).label} from {who}"
        case Kind.RESET:
            return f"Reset the credentials of {who}"
        case _:
            return _rules_of(said)


def changes(said: Statement) -> list[Change]:
    """What becomes of what."""
    if said.kind == Kind.CHANGE_POLICY:
        return _rules(said)
    found = [Change("Who", _full(said, "user") or _full(said, "member"))]
    if "title" in said.change:
        found = _seat(said)
    elif said.kind == Kind.REMOVE_MEMBER:
        found.append(Change("Seat in Security", before=_office_of_seat(said), after="ended"))
    elif "role" in said.change:
        label, held = Role(said.change["role"]).label, said.kind == Kind.REVOKE
        found.append(
            Change("Office", before=label if held else "not held", after="taken away" if held else label)
        )
    else:
        found.append(Change("Password and factors", before="as they are", after="none"))
        found.append(Change("Way back", "a link by mail, to their own address alone"))
    if "credentials" in said.change:
        found.append(_passkeys(said))
    return found


def _seat(said: Statement) -> list[Change]:
    office = Title(said.change["title"]).label
    if said.kind == Kind.ADD_MEMBER:
        return [
            Change("Who", _full(said, "user")),
            Change("Seat in Security", before="none", after=office),
        ]
    if _is_same(said):
        return [Change("Who", _full(said, "user")), Change("Seat in Security", f"{office}, as before")]
    return [Change("The seat", before=_full(said, "member"), after=f"{_joining(said)} · {office}")]


def _passkeys(said: Statement) -> Change:
    count = len(said.change["credentials"])
    if not count:
        return Change("Roster", "without a passkey", note="decisions will be recorded, not signed")
    return Change(
        "Roster", f"with {words.count(count, 'passkey')}", note="the worker counts their signatures"
    )


def _rules(said: Statement) -> list[Change]:
    former = Policy.objects.filter(pk=said.change["replaces"]).first()
    before: Mapping[str, Any] = policy_terms.of(former) if former else {}
    found = [Change("Holds", links=(Link(_scope(said), reverse("policies")),))]
    for name, after in said.change["policy"].items():
        if name not in before or before[name] == after:
            continue
        label = policy_terms.LABELS[name]
        whole = name in rulebook.WHOLE
        was = "" if whole else rulebook.value(before[name])
        found.append(Change(label, rulebook.value(after), was, whole=whole))
    return found


def _rules_of(said: Statement) -> str:
    scope = said.change["scope"]
    return f"Change the rules of {_scope(said)}" if scope else "Change the rules that hold everywhere"


def _scope(said: Statement) -> str:
    return next((str(one["name"]) for one in said.targets if one["type"] == "policy"), "")


def _is_same(said: Statement) -> bool:
    return bool(said.change.get("leaving") == said.change["user"])


def _joining(said: Statement) -> str:
    found = [one for one in said.targets if one["type"] == "user" and one["id"] == said.change["user"]]
    return str(found[0]["name"]).partition(" · ")[0] if found else ""


def _office_of_seat(said: Statement) -> str:
    return _full(said, "member").partition(" · ")[2]


def _full(said: Statement, kind: str) -> str:
    return next((str(one["name"]) for one in said.targets if one["type"] == kind), "")


def _name(said: Statement, kind: str) -> str:
    return _full(said, kind).partition(" · ")[0]
