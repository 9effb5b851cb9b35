"""The bytes of one message: RFC 5424, CEF inside it, or JSON; whatever an entry holds, a message stays one.

An entry's values were typed by people or came from other machines. Signs that end a line, hide or reorder
text never leave as themselves: they are written as \\uXXXX, and each form's own marks are escaped on top.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

APP = "VeeamSec"
# No number of our own is registered: RFC 5612 keeps this one for examples, and no product sends under it.
ELEMENT = "veeamsec@32473"
# RFC 5424, table 1: the log's facility is "log audit".
_FACILITY = 13
_PRIORITIES = {"info": 6, "notice": 5, "warning": 4, "high": 3, "critical": 2}
_CEF = {"info": 2, "notice": 4, "warning": 6, "high": 8, "critical": 10}
SEVERITIES = tuple(_PRIORITIES)
# rsyslog's and syslog-ng's default limit is 8 KiB, a datagram should pass where RFC 5424 §6.1 says SHOULD.
LARGEST, LARGEST_DATAGRAM = 8000, 2048
_BOM = b"\xef\xbb\xbf"
# What calls people, links or marks up in one chat or another, and a sign that looks like it and does not.
_DULL = str.maketrans("@<>[]`*", "\uff20\u2039\u203a()'\u2217")
_MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One entry as it is told."""

    entry: int
    time: datetime
    event: str
    number: int
    severity: str
    # Veeam's own number of the same event, where there is one.
    veeam: int | None
    actor: str
    subject_type: str
    subject_id: str
    facts: Mapping[str, Any]
    # Names can be erased here, not there: empty unless the forwarder was made to send them.
    names: Mapping[str, str]
    leaf: str
    # Of an alarm's entry: what it is about, in words that a person reads.
    alarm: Mapping[str, str] | None = None


def inert(text: str) -> str:
    """Return text without a sign that ends a line, is not seen, or turns the direction of reading."""
    return "".join(
        f"\\u{ord(sign):04x}" if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else sign
        for sign in text
    )


def syslog(message: Message, *, host: str, largest: int = LARGEST) -> bytes:
    """Return a message of RFC 5424: the entry in structured data, its facts as JSON after it."""
    head = f"{_head(message, host)} {_element(message)} ".encode()
    head += _BOM + f"{_printable(message.event, 40)} ".encode()
    return head + _facts(message, largest - len(head)).encode()


def cef(message: Message, *, host: str, largest: int = LARGEST) -> bytes:
    """Return a message of CEF:0 behind a head of RFC 5424, with the entry in both."""
    head = f"{_head(message, host)} {_element(message)} ".encode() + _BOM
    fields = ("CEF:0", APP, APP, "1", str(message.number), message.event, str(_CEF[message.severity]))
    told = {
        "rt": str(int(message.time.timestamp() * 1000)),
        "externalId": str(message.entry),
        "suid": message.actor,
        "cs1Label": "subject",
        "cs1": f"{message.subject_type} {message.subject_id}".strip(),
        "cs2Label": "leaf",
        "cs2": message.leaf,
        "cs3Label": "veeam",
        "cs3": "" if message.veeam is None else str(message.veeam),
    }
    text = "|".join(_cef_head(field) for field in fields)
    text += "|" + " ".join(f"{name}={_cef_value(value)}" for name, value in told.items() if value) + " msg="
    # Every escaped sign takes two bytes: half of the room is always enough.
    room = (largest - len(head) - len(text.encode())) // 2
    return head + (text + _cef_value(_facts(message, room))).encode()


def as_json(message: Message) -> dict[str, Any]:
    """Return a message as the webhook's body holds it."""
    told = {
        "entry": message.entry,
        "time": _time(message.time),
        "event": message.event,
        "number": message.number,
        "severity": message.severity,
        "veeam": message.veeam,
        "actor": message.actor or None,
        "subject": {"type": message.subject_type, "id": message.subject_id},
        "facts": dict(message.facts),
        "names": dict(message.names),
        "leaf_hash": message.leaf,
    }
    return told if message.alarm is None else told | {"alarm": dict(message.alarm)}


def as_text(message: Message) -> str:
    """Return what a person reads in a chat: what is wrong, how grave it is, what helps, and where to look."""
    alarm = message.alarm
    if alarm is None:
        return "A test: alarms of VeeamSec are told here."
    grave = f" ({alarm['severity']})" if alarm["state"] == "raised" else ""
    lines = [f"{alarm['state'].capitalize()}: {alarm['heading']}{grave}", *_plain(alarm.get("text", ""))]
    lines += [alarm["todo"]] if alarm["state"] != "resolved" else []
    return "\n".join([*lines, alarm["url"]])


def _plain(text: str) -> Sequence[str]:
    """Return a typed text as lines in which a chat finds nobody to call, no link and no mark-up."""
    dull = text.replace("://", ":\u2215\u2215").translate(_DULL)
    return [inert(line) for line in dull.splitlines() if line.strip()][:_MOST_LINES]


def framed(octets: bytes) -> bytes:
    """Return a message with its length before it (RFC 6587 §3.4.1, RFC 5425 §4.3)."""
    return str(len(octets)).encode() + b" " + octets


def _head(message: Message, host: str) -> str:
    priority = _FACILITY * 8 + _PRIORITIES[message.severity]
    return (
        f"<{priority}>1 {_time(message.time)} {_printable(host, 255)} {APP} - {_printable(message.event, 32)}"
    )


def _element(message: Message) -> str:
    told = {
        "entry": str(message.entry),
        "id": str(message.number),
        "event": message.event,
        "severity": message.severity,
        "veeam": "" if message.veeam is None else str(message.veeam),
        "actor": message.actor,
        "subject": message.subject_id,
        "subject_type": message.subject_type,
        "leaf": message.leaf,
    }
    return f"[{ELEMENT} " + " ".join(f'{k}="{_parameter(v)}"' for k, v in told.items() if v) + "]"


def _printable(text: str, most: int) -> str:
    """Return a header field: printable US-ASCII without a space, or the nil value."""
    return "".join(sign for sign in text if "!" <= sign <= "~")[:most] or "-"


def _parameter(text: str) -> str:
    return inert(text).replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _cef_head(text: str) -> str:
    return inert(text).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(text: str) -> str:
    return inert(text).replace("\\", "\\\\").replace("=", "\\=")


def _facts(message: Message, room: int) -> str:
    """Return facts and names as JSON of US-ASCII, which holds no sign that could end a line or turn it."""
    told = {"facts": dict(message.facts), "names": dict(message.names)}
    text = json.dumps({key: value for key, value in told.items() if value}, separators=(",", ":"))
    # What was left out stands in the log, under the number and the leaf that the message carries.
    return text if len(text) <= room else '{"cut":true}'


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
