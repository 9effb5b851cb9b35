"""KMS servers: only their entries, for no key is ever asked of them."""

from uuid import uuid4

from veeamsec.peer import actions, encryption
from veeamsec.peer.accounts import GUARDS
from veeamsec.peer.answers import Answer, Model, Refusal, alike, first, gone, ordered, page, unexpected
from veeamsec.peer.pieces import identity
from veeamsec.peer.rest.passwords import refuse_while_four_eyes
from veeamsec.peer.routes import Call, route

_ALL, _ONE = "/api/v1/kmsServers", "/api/v1/kmsServers/{}"


def server(name: str, description: str, port: int = 5696) -> Model:
    """An entry, with thumbprints made up from its name."""
    return {
        "id": str(uuid4()),
        "name": name,
        "description": description,
        "type": "KMS",
        "port": port,
        "serverCertificateThumbprint": _thumbprint(f"server {name}"),
        "clientCertificateThumbprint": _thumbprint(f"client {name}"),
    }


@route("GET", _ALL, GUARDS)
def listed(call: Call) -> Answer:
    """A page of them."""
    fits = alike(first(call.query, "nameFilter"))
    found = [one for one in call.at.kms.values() if fits(one["name"])]
    return page(ordered(found, call.query, ("Name", "Type", "Description")), call.query)


@route("POST", _ALL, GUARDS)
def create(call: Call) -> Answer:
    """A new one."""
    model = call.model("name", "type", "port", "serverCertificate", "clientCertificate")
    made = server(str(model["name"]), str(model.get("description") or ""), int(model["port"]))
    call.at.kms[made["id"]] = made
    actions.tell_kms(call.at, 42300, made, by=call.by)
    return Answer(201, made)


@route("GET", _ONE, GUARDS)
def one(call: Call) -> Answer:
    """One of them."""
    return Answer(200, _found(call))


@route("PUT", _ONE, GUARDS)
def put(call: Call) -> Answer:
    """Another name, description or port."""
    found, model = _found(call), call.model("id", "name", "port")
    if str(model["id"]).lower() != found["id"]:
        raise unexpected("The id differs from the one of the path.")
    found |= {name: model[name] for name in ("name", "description", "port") if name in model}
    actions.tell_kms(call.at, 42302, found, by=call.by)
    return Answer(200, found)


@route("DELETE", _ONE, GUARDS)
def delete(call: Call) -> Answer:
    """Remove one, unless a job uses it."""
    found = _found(call)
    refuse_while_four_eyes(call.at)
    for job in call.at.jobs.values():
        if any(encryption.key_of(block) == found["id"] for block in encryption.every(job.model)):
            raise Refusal(400, "UnexpectedContent", "A job uses the KMS server.", resource=found["id"])
    del call.at.kms[found["id"]]
    actions.tell_kms(call.at, 42301, found, by=call.by)
    return Answer(204)


@route("POST", f"{_ONE}/changeCertificate", GUARDS)
def change_certificate(call: Call) -> Answer:
    """Another certificate of one side."""
    found, model = _found(call), call.model("certificate", "type")
    side = "client" if str(model["type"]).casefold() == "client" else "server"
    found[f"{side}CertificateThumbprint"] = _thumbprint(str(uuid4()))
    actions.tell_kms(call.at, 42302, found, by=call.by)
    return Answer(204)


def _found(call: Call) -> Model:
    try:
        return call.at.kms[call.ids[0].lower()]
    except KeyError:
        raise gone(call.ids[0]) from None


def _thumbprint(of: str) -> str:
    return (identity("thumbprint", of) + identity("thumbprint", of[::-1])).replace("-", "").upper()[:40]
