"""What changes at the server, whoever does it: by the REST API or in the console. Each tells its event."""

import json
import secrets
from datetime import timedelta
from typing import Any
from uuid import uuid4

from veeamsec.peer import encryption
from veeamsec.peer.answers import Refusal, unexpected
from veeamsec.peer.installation import Installation, Password
from veeamsec.peer.pieces import KINDS

Model = dict[str, Any]

WRONG_MOST, WRONG_SPAN, BLOCKED = 15, timedelta(minutes=1), timedelta(minutes=5)
_SAME, _OTHER = (
    "Saved encryption password matches the provided password.",
    "Saved encryption password does not match the provided password.",
)


def add_password(
    at: Installation, *, hint: str, value: str, by: str, unique_id: str = "", imported: bool = False
) -> Password:
    """Create an encryption password."""
    made = Password(hint, value, at.clock.tick(), unique_id or str(uuid4()), imported)
    at.passwords[made.id] = made
    _tell_password(at, 31600, "Info", made, by, _changes(hint=("", hint), password=True), "created")
    return made


def change_password(at: Installation, password: Password, *, hint: str, value: str, by: str) -> None:
    """Give a password another value; its time moves."""
    changes = _changes(hint=(password.hint, hint), password=True)
    password.hint, password.value = hint, value
    password.modified_at = at.clock.tick()
    _tell_password(at, 31700, "Info", password, by, changes, "modified")


def change_hint(at: Installation, password: Password, *, hint: str, by: str) -> None:
    """Give a password another hint; whether its time moves is an option."""
    changes = _changes(hint=(password.hint, hint), password=False)
    password.hint = hint
    if at.options.hint_moves_time:
        password.modified_at = at.clock.tick()
    _tell_password(at, 31700, "Info", password, by, changes, "modified")


def delete_password(at: Installation, password: Password, *, by: str) -> None:
    """Delete a password. Raises Refusal while something uses it."""
    users = at.users_of(password.id)
    if users:
        raise Refusal(
            409,
            "UnexpectedContent",
            f"The encryption password is used by {len(users)} objects, {users[0]} among them.",
            resource=password.id,
        )
    del at.passwords[password.id]
    _tell_password(at, 31800, "Warning", password, by, "<changes />", "deleted")


def verify_password(at: Installation, password: Password, *, value: str, by: str) -> bool | None:
    """Compare a value with the one that is kept; None while comparing is blocked."""
    now = at.clock.now()
    if password.blocked_until and now < password.blocked_until:
        return None
    same = secrets.compare_digest(value.encode(), password.value.encode())
    if same:
        password.wrong.clear()
    else:
        password.wrong.append(now)
        while password.wrong[0] <= now - WRONG_SPAN:
            password.wrong.popleft()
        if len(password.wrong) >= WRONG_MOST:
            password.blocked_until = now + BLOCKED
            password.wrong.clear()
    fields = {"ID": password.id, "UserFullInfo": full_info(by), "PasswordMatched": str(same)}
    at.sender.tell(31850, "Info" if same else "Warning", fields, _SAME if same else _OTHER)
    return same


def put_job(at: Installation, identity: str, text: str, *, by: str) -> None:
    """Replace a job's whole model by what was sent, kept as it was sent. Raises Refusal (400, 404)."""
    job = at.job(identity)
    before = job.model
    model = _parsed(text)
    _check_model(at, before, model)
    job.keep(text)
    changes = "".join(_differences(before, model))
    fields = {
        "JobID": before["id"],
        "JobType": before["type"],
        "Platform": KINDS[before["type"]][0],
        "JobName": str(model["name"]),
        "ChangesXML": f"<changes>{changes}</changes>" if changes else "<changes />",
        "UserName": by,
    }
    at.sender.tell(23050, "Info", fields, f"Job {model['name']} has been modified")


def edit_job(at: Installation, identity: str, model: Model, *, by: str) -> None:
    """Replace a job's model by another. Raises Refusal (400, 404)."""
    put_job(at, identity, json.dumps(model, ensure_ascii=False), by=by)


def full_info(by: str) -> str:
    """Who did it, as the dialect nests it."""
    return f'<ModifiedUserInfo fullName="{by}" loginType="0" />'


def tell_kms(at: Installation, number: int, server: Model, *, by: str) -> None:
    """Tell what happened to a KMS server."""
    done = {42300: "added", 42301: "deleted", 42302: "modified"}[number]
    fields = {
        "KMSServerID": server["id"],
        "Name": server["name"],
        "ChangesXML": "<changes />",
        "UserName": by,
        "UserFullInfo": full_info(by),
    }
    severity = "Warning" if number == 42301 else "Info"
    at.sender.tell(number, severity, fields, f"KMS server {server['name']} has been {done}")


def tell_four_eyes(at: Installation, number: int, operation: str, *, by: str) -> None:
    """Tell what happened to the server's own four-eyes authorization."""
    done = {42400: "enabled", 42401: "disabled", 42402: "requested", 42403: "approved", 42404: "rejected"}
    fields = {"Operation": operation, "OperationId": "10000", "InitiatorFullInfo": full_info(by)}
    if number in (42403, 42404):
        fields["SupervisorFullInfo"] = full_info(by)
    at.sender.tell(number, "Info", fields, f"Four-eyes authorization: {operation} has been {done[number]}")


def _tell_password(
    at: Installation, number: int, severity: str, password: Password, by: str, changes: str, done: str
) -> None:
    fields = {
        "Hint": password.hint,
        "ID": password.id,
        "ChangesXML": changes,
        "UserName": by,
        "UserFullInfo": full_info(by),
    }
    at.sender.tell(number, severity, fields, f"Encryption password {password.hint} has been {done}")


def _changes(*, hint: tuple[str, str], password: bool) -> str:
    lines = []
    if hint[0] != hint[1]:
        lines.append(_change("EncryptionPasswordHint", *hint))
    if password:
        lines.append(_change("EncryptionPassword", "***", "***"))
    return f"<changes>{''.join(lines)}</changes>" if lines else "<changes />"


def _change(name: str, old: object, new: object) -> str:
    return f'<change name="{name}" oldValue="{old}" newValue="{new}" />'


def _differences(before: Model, after: Model) -> list[str]:
    found = []
    for old, new in zip(encryption.every(before), encryption.every(after), strict=False):
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                found.append(_change(f"Encryption.{name}", old.get(name), new.get(name)))
    for name in ("name", "description", "isDisabled"):
        if before.get(name) != after.get(name):
            found.append(_change(name, before.get(name), after.get(name)))
    return found


def _parsed(text: str) -> Model:
    try:
        found = json.loads(text)
    except ValueError:
        raise unexpected("The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise unexpected("The body is not an object.")
    return found


def _check_model(at: Installation, before: Model, after: Model) -> None:
    if str(after.get("id")).lower() != before["id"]:
        raise unexpected("The id of the job differs from the one of the path.")
    if str(after.get("type")).casefold() != before["type"].casefold():
        raise unexpected("The type of a job cannot be changed.")
    if not isinstance(after.get("name"), str) or not after["name"].strip():
        raise unexpected("The job needs a name.")
    missing = [name for name in before if name not in after]
    if missing:
        raise unexpected(f"The model of the job is not whole: {', '.join(missing)}.")
    for block in encryption.every(after):
        _check_block(at, block)


def _check_block(at: Installation, block: Model) -> None:
    if not isinstance(block.get("isEnabled"), bool):
        raise unexpected("The encryption settings lack isEnabled.")
    if not block["isEnabled"]:
        return
    kind = str(block.get("encryptionType") or "ByUserPassword").casefold()
    if kind == "bykms":
        if str(block.get("kmsServerId")).lower() not in at.kms:
            raise unexpected("There is no KMS server with this id.")
        return
    if kind != "byuserpassword":
        raise unexpected("The encryption type is not valid.")
    named = block.get("encryptionPasswordId")
    known = {one.unique_id for one in at.passwords.values()}
    if named in (None, "", encryption.NOTHING):
        if block.get("encryptionPasswordUniqueId") not in known:
            raise unexpected("Encryption needs a password.")
    elif str(named).lower() not in at.passwords:
        raise unexpected("There is no encryption password with this id.")
