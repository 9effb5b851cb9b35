"""The configuration backup, and where events are sent."""

from typing import Any

from veeamsec.peer import runs
from veeamsec.peer.accounts import ADMINISTRATORS, OPERATORS
from veeamsec.peer.answers import Answer, unexpected
from veeamsec.peer.routes import Call, route
from veeamsec.peer.vendor_form import as_vendor

_BACKUP, _FORWARDING = "/api/v1/configBackup", "/api/v1/generalOptions/eventForwarding"
_SINCE = "1.3-rev1"


@route("GET", _BACKUP, ADMINISTRATORS)
def config_backup(call: Call) -> Answer:
    """Its settings, and when it last succeeded."""
    return Answer(200, _shown(call, call.at.config_backup))


@route("PUT", _BACKUP, ADMINISTRATORS)
def put_config_backup(call: Call) -> Answer:
    """Other settings. Raises Refusal (400) where the password is not known."""
    model = call.model("backupRepositoryId", "encryption", "schedule", "notifications")
    block = model["encryption"]
    if not isinstance(block, dict) or not isinstance(block.get("isEnabled"), bool):
        raise unexpected("The encryption settings lack isEnabled.")
    if block["isEnabled"] and str(block.get("passwordId")).lower() not in call.at.passwords:
        raise unexpected("There is no encryption password with this id.")
    call.at.config_backup = model
    call.at.sender.tell(
        31500,
        "Info",
        {"ChangesXML": "<changes />", "UserName": call.by},
        "Configuration backup job settings have been modified",
    )
    return Answer(200, _shown(call, model))


@route("POST", f"{_BACKUP}/backup", OPERATORS)
def back_up(call: Call) -> Answer:
    """Back the configuration up now."""
    return Answer(200, runs.back_up_configuration(call.at, by=call.by))


@route("GET", _FORWARDING, ADMINISTRATORS, since=_SINCE)
def forwarding(call: Call) -> Answer:
    """Where events are sent, and which are muted."""
    return Answer(200, call.at.sender.forwarding)


@route("PUT", _FORWARDING, ADMINISTRATORS, since=_SINCE)
def put_forwarding(call: Call) -> Answer:
    """Send events elsewhere."""
    model = call.model()
    server = model.get("syslogServer")
    if server is not None and (not isinstance(server, dict) or not server.get("serverName")):
        raise unexpected("The syslog server needs a name.")
    call.at.sender.forwarding = model
    call.at.sender.tell(31000, "Info", {"UserName": call.by}, "General settings have been modified")
    return Answer(200, model)


def _shown(call: Call, model: Any) -> Any:
    return as_vendor(model) if call.at.options.vendor_form else model
