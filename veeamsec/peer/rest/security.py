"""Users, roles, and whether a second factor is asked for."""

from veeamsec.peer.accounts import ADMINISTRATORS, BUILT_IN, RESTORERS, Account, role_model, user_model
from veeamsec.peer.answers import Answer, Model, alike, first, gone, ordered, page, switched, unexpected
from veeamsec.peer.rest.passwords import refuse_while_four_eyes
from veeamsec.peer.routes import Call, route

_SINCE = "1.3-rev1"
_ROOT = "/api/v1/security"


@route("GET", f"{_ROOT}/users", ADMINISTRATORS, since=_SINCE)
def users(call: Call) -> Answer:
    """A page of users."""
    fits, service = alike(first(call.query, "nameFilter")), switched(call.query, "isServiceAccountFilter")
    role = first(call.query, "roleNameFilter")
    models = [
        user_model(one, call.at.role_prefix)
        for one in call.at.accounts
        if fits(one.name) and service in (None, one.service)
    ]
    found = [one for one in models if role in (None, one["roles"][0]["name"])]
    return page(ordered(found, call.query, ("Name", "Type", "IsServiceAccount", "MfaEnabled")), call.query)


@route("POST", f"{_ROOT}/users", ADMINISTRATORS, since=_SINCE)
def create(call: Call) -> Answer:
    """A new user of a built-in role."""
    model = call.model("name", "type", "roles")
    refuse_while_four_eyes(call.at)
    made = Account(str(model["name"]), _role(call, model), service=model.get("isServiceAccount") is True)
    call.at.accounts.append(made)
    return Answer(201, user_model(made, call.at.role_prefix))


@route("GET", f"{_ROOT}/users/{{}}", ADMINISTRATORS, since=_SINCE)
def user(call: Call) -> Answer:
    """One user."""
    return Answer(200, user_model(_found(call), call.at.role_prefix))


@route("DELETE", f"{_ROOT}/users/{{}}", ADMINISTRATORS, since=_SINCE)
def delete(call: Call) -> Answer:
    """Remove a user."""
    found = _found(call)
    refuse_while_four_eyes(call.at)
    call.at.accounts.remove(found)
    return Answer(204)


@route("GET", f"{_ROOT}/users/{{}}/roles", ADMINISTRATORS, since=_SINCE)
def roles_of(call: Call) -> Answer:
    """The role of a user."""
    return Answer(200, {"roles": [role_model(_found(call).role, call.at.role_prefix)]})


@route("PUT", f"{_ROOT}/users/{{}}/roles", ADMINISTRATORS, since=_SINCE)
def set_roles(call: Call) -> Answer:
    """Another built-in role for a user."""
    found = _found(call)
    refuse_while_four_eyes(call.at)
    found.role = _role(call, call.model("roles"))
    return Answer(200, {"roles": [role_model(found.role, call.at.role_prefix)]})


@route("GET", f"{_ROOT}/roles", RESTORERS, since=_SINCE)
def roles(call: Call) -> Answer:
    """The built-in roles."""
    fits = alike(first(call.query, "nameFilter"))
    models = [role_model(one, call.at.role_prefix) for one in BUILT_IN]
    found = [one for one in models if fits(one["name"])]
    return page(ordered(found, call.query, ("Name", "Description")), call.query)


@route("GET", f"{_ROOT}/roles/{{}}", RESTORERS, since=_SINCE)
def role(call: Call) -> Answer:
    """One role."""
    return Answer(200, _role_found(call))


@route("GET", f"{_ROOT}/roles/{{}}/permissions", ADMINISTRATORS, since=_SINCE)
def permissions(call: Call) -> Answer:
    """What a role may do, by names."""
    found = _role_found(call)
    return Answer(200, {"roleId": found["id"], "permissions": ["ViewJobs", "ViewBackups"]})


@route("GET", f"{_ROOT}/settings", ADMINISTRATORS, since=_SINCE)
def settings(call: Call) -> Answer:
    """Whether a second factor is asked for."""
    return Answer(200, {"mfaEnabled": any(one.mfa for one in call.at.accounts)})


def _found(call: Call) -> Account:
    found = next((one for one in call.at.accounts if one.id == call.ids[0].lower()), None)
    if found is None:
        raise gone(call.ids[0])
    return found


def _role_found(call: Call) -> Model:
    models = (role_model(one, call.at.role_prefix) for one in BUILT_IN)
    found = next((one for one in models if one["id"] == call.ids[0].lower()), None)
    if found is None:
        raise gone(call.ids[0])
    return found


def _role(call: Call, model: Model) -> str:
    wanted = {str(one.get("id")).lower() for one in model["roles"] if isinstance(one, dict)}
    found = [one for one in BUILT_IN if role_model(one, "")["id"] in wanted]
    if len(found) != 1:
        raise unexpected("The user needs one built-in role.")
    return found[0]
