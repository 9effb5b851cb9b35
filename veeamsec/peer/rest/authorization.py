"""Requests of the server's own four-eyes authorization: to be read, never decided, by the API."""

from veeamsec.peer.accounts import GUARDS
from veeamsec.peer.answers import Answer, alike, first, gone, ordered, page, several
from veeamsec.peer.rest.times import span, within
from veeamsec.peer.routes import Call, route

_ALL = "/api/v1/authorization/events"
_COLUMNS = ("Name", "State", "CreationTime", "ProcessedTime", "ExpirationTime", "Description", "ProcessedBy")


@route("GET", _ALL, GUARDS)
def listed(call: Call) -> Answer:
    """A page of them."""
    query, fits = call.query, alike(first(call.query, "nameFilter"))
    states, bounds = several(query, "stateFilter"), span(query)
    by = alike(first(query, "createdByFilter"))
    found = [
        one
        for one in call.at.authorizations
        if fits(one["name"])
        and by(one["createdBy"])
        and within(one["creationTime"], bounds)
        and (not states or one["state"] in states)
    ]
    return page(ordered(found, query, _COLUMNS), query)


@route("GET", f"{_ALL}/{{}}", GUARDS)
def one(call: Call) -> Answer:
    """One of them."""
    found = next((one for one in call.at.authorizations if one["id"] == call.ids[0].lower()), None)
    if found is None:
        raise gone(call.ids[0])
    return Answer(200, found)
