"""Encryption passwords: their values go in and never come out."""

from typing import Any

from veeamsec.peer import actions
from veeamsec.peer.accounts import GUARDS, KEEPERS
from veeamsec.peer.answers import Answer, Refusal, alike, first, ordered, page
from veeamsec.peer.installation import Installation, Password
from veeamsec.peer.revisions import has
from veeamsec.peer.routes import Call, route

_ALL, _ONE = "/api/v1/encryptionPasswords", "/api/v1/encryptionPasswords/{}"
_MATCHES = "The provided password matches the saved one."
_DIFFERS = "The provided password does not match the saved one."
_BLOCKED = "Too many failed attempts: the verification of encryption passwords is blocked for 5 minutes."
# What 1.3 brought: hintFilter, isImported, verify.
_NEWER = "1.3-rev0"


@route("GET", _ALL, KEEPERS)
def listed(call: Call) -> Answer:
    """A page of them."""
    hint = first(call.query, "hintFilter") if has(call.revision, _NEWER) else None
    fits = alike(hint)
    models = [_model(call, one) for one in call.at.passwords.values() if fits(one.hint)]
    return page(ordered(models, call.query, ("Hint", "ModificationTime")), call.query)


@route("POST", _ALL, GUARDS)
def create(call: Call) -> Answer:
    """A new one."""
    model = call.model("password", "hint")
    made = actions.add_password(
        call.at,
        hint=str(model["hint"]),
        value=str(model["password"]),
        by=call.by,
        unique_id=str(model.get("uniqueId") or ""),
        imported=model.get("isImported") is True,
    )
    return Answer(201, _model(call, made))


@route("GET", _ONE, KEEPERS)
def one(call: Call) -> Answer:
    """One of them."""
    return Answer(200, _model(call, call.at.password(call.ids[0])))


@route("PUT", _ONE, GUARDS)
def set_hint(call: Call) -> Answer:
    """Another hint; nothing else can be changed so."""
    found = call.at.password(call.ids[0])
    model = call.model("id", "hint")
    if str(model["id"]).lower() != found.id:
        raise Refusal(400, "UnexpectedContent", "The id differs from the one of the path.")
    actions.change_hint(call.at, found, hint=str(model["hint"]), by=call.by)
    return Answer(200, _model(call, found))


@route("POST", f"{_ONE}/changepassword", GUARDS)
def change(call: Call) -> Answer:
    """Another value; the present one is not asked for."""
    found = call.at.password(call.ids[0])
    model = call.model("hint", "password")
    actions.change_password(call.at, found, hint=str(model["hint"]), value=str(model["password"]), by=call.by)
    return Answer(200, {})


@route("POST", f"{_ONE}/verify", KEEPERS, since=_NEWER)
def verify(call: Call) -> Answer:
    """Whether a value is the one that is kept."""
    found = call.at.password(call.ids[0])
    value = str(call.model("password")["password"])
    same = actions.verify_password(call.at, found, value=value, by=call.by)
    if same is None:
        return _blocked(call.at)
    return Answer(200, {"isSuccessful": same, "message": _MATCHES if same else _DIFFERS})


@route("DELETE", _ONE, GUARDS)
def delete(call: Call) -> Answer:
    """Remove one, unless something uses it or two must agree. Raises Refusal (403, 409)."""
    found = call.at.password(call.ids[0])
    refuse_while_four_eyes(call.at)
    actions.delete_password(call.at, found, by=call.by)
    return Answer(204)


def refuse_while_four_eyes(at: Installation) -> None:
    """Deletions by the API are refused while the server's own four-eyes authorization is on."""
    if at.options.four_eyes:
        raise Refusal(403, "AccessDenied", "Deletions need four-eyes authorization, which is enabled.")


def _blocked(at: Installation) -> Answer:
    if at.options.blocked_status is None:
        return Answer(200, {"isSuccessful": False, "message": _BLOCKED})
    raise Refusal(at.options.blocked_status, "AccessDenied", _BLOCKED)


def _model(call: Call, found: Password) -> dict[str, Any]:
    model = {
        "id": found.id,
        "hint": found.hint,
        "modificationTime": call.at.clock.told(found.modified_at),
        "uniqueId": found.unique_id,
    }
    return model | ({"isImported": found.imported} if has(call.revision, _NEWER) else {})
