"""An event of Veeam's syslog, read from one line of its dialect of RFC 5424.

The dialect leaves some values without quotes, and puts XML into others without escaping the quotes in it; so
a value ends where a next name begins or the line ends, and XML where its root element does. Some values are
chosen by whoever made the change, a hint for instance: one that imitates a field makes the line readable in
two ways. Such an event is kept and called doubtful: a hint must neither hide an event nor name another actor.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from encryption.errors import SyslogRefused

# The largest line: the changes of a job are told in full. Reading takes time in proportion to it.
LARGEST = 256 * 1024
_MOST_FIELDS = 200
_APP = "veeam_mp"
_NAME = r"[A-Za-z][\w.-]{0,63}"

_HEADER = re.compile(
    r"(?:<\d{1,3}>)?1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<app>\S{1,48}) \S{1,128} \S{1,32} (?=\[)"
)
_ELEMENT = re.compile(rf"\s{{0,8}}\[\s{{0,8}}(?:{_NAME}(?:@\d{{1,12}})?(?=[\s\]]))?")
_FIELD = re.compile(rf"\s{{0,8}}({_NAME})=(\")?")
_BARE = re.compile(r"[^\s\]\"]*")
_CLOSES = re.compile(r"\s{0,8}\]")
# A quote, and then: the next name with its value, or the end of the line; before the event's number stands,
# another element too.
_NEXT = rf'\s{{1,8}}{_NAME}=(?:"|[\w-])'
_QUOTE = re.compile(rf'"(?={_NEXT}|\s{{0,8}}\]\s{{0,8}}\Z)')
_EARLY_QUOTE = re.compile(rf'"(?={_NEXT}|\s{{0,8}}\]\s{{0,8}}(?:\[|\Z))')
_ANY_QUOTE = re.compile(r'"(?=\s{0,8}\])')
_XML_QUOTE = re.compile(rf'(?<=>)"(?={_NEXT}|\s{{0,8}}\])')
_XML_NAMES = ("xml", "info")
_TAG = re.compile(r'<(/?)[^<>"]*(?:"[^"]*"[^<>"]*)*>')
_NUMBER = "instanceId"
# A field that another value swallowed, because that value ended before its time.
_SWALLOWED = re.compile(rf'(?:^|\s){_NAME}="')

_PASSWORD = frozenset({"Hint", "ID", "ChangesXML", "UserName", "UserFullInfo", "PasswordMatched"})
_JOB = frozenset({"JobID", "JobType", "Platform", "JobName", "ChangesXML", "UserName"})
_KMS = frozenset({"KMSServerID", "Name", "ChangesXML", "UserName", "UserFullInfo"})
_FOUR_EYES = frozenset({"Operation", "OperationId", "InitiatorFullInfo", "SupervisorFullInfo"})
_OWN = (
    dict.fromkeys((31600, 31700, 31800, 31850), _PASSWORD)
    | {23050: _JOB}
    | dict.fromkeys((42300, 42301, 42302), _KMS)
    | dict.fromkeys(range(42400, 42406), _FOUR_EYES)
)
_TELLING = _PASSWORD | _JOB | _KMS | _FOUR_EYES


@dataclass(frozen=True, slots=True)
class VeeamEvent:
    """What a line says: the event's number, when and where, and its fields as they were written.

    `doubtful`: the line can be read in more than one way, so neither its subject nor its actor is certain; a
    field that stands twice holds every reading.
    """

    number: int
    happened_at: datetime
    host: str
    fields: Mapping[str, str]
    description: str = ""
    doubtful: bool = False


def parse(line: bytes, received_at: datetime) -> VeeamEvent:
    """Read a line without its frame; `received_at` serves where it has no time of its own.

    Raises SyslogRefused for a line that is too long, or is no event of Veeam's.
    """
    if len(line) > LARGEST:
        raise SyslogRefused(f"A line of syslog is longer than {LARGEST >> 10} KiB.")
    text = line.decode("utf-8", "replace").strip("\ufeff\r\n\0 ")
    header = _HEADER.match(text)
    if header is None or header["app"].casefold() != _APP:
        raise SyslogRefused("A line that was received is no event of Veeam's syslog.")
    fields: dict[str, str] = {}
    number, doubtful = "", False
    for count, (name, value, sure) in enumerate(_Line(text, header.end()).fields()):
        if name == _NUMBER and not number:
            number = value
        doubtful = doubtful or not sure or name in fields or _is_foreign(name, number)
        fields[name] = f"{fields[name]} | {value}" if name in fields else value
        if count >= _MOST_FIELDS:
            raise SyslogRefused("An event of Veeam's syslog has too many fields.")
    if not number.isdecimal() or not number.isascii() or len(number) > 9:
        raise SyslogRefused("An event of Veeam's syslog has no number.")
    host = "" if header["host"] == "-" else header["host"]
    happened_at = _time(header["time"], received_at)
    return VeeamEvent(int(number), happened_at, host, fields, fields.get("Description", ""), doubtful)


class _Line:
    """The elements of a line, read from left to right; what was sought in vain is not sought again."""

    def __init__(self, text: str, start: int) -> None:
        self._text, self._place = text, start
        self._numbered = False
        self._in_vain: set[re.Pattern[str]] = set()

    def fields(self) -> Iterator[tuple[str, str, bool]]:
        """Yield name, value, and whether it ends for sure where it seems to."""
        while self._take(_ELEMENT):
            while field := self._take(_FIELD):
                yield self._field(field[1], quoted=field[2] is not None)
            if not self._take(_CLOSES):
                break
        if rest := self._text[self._place :].strip():
            # Something follows that is neither a field nor an element.
            yield "rest", rest, False

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._place)
        if found:
            self._place = found.end()
        return found

    def _field(self, name: str, *, quoted: bool) -> tuple[str, str, bool]:
        self._numbered = self._numbered or name == _NUMBER
        start, sure = self._place, True
        if not quoted:
            self._take(_BARE)
            return name, self._text[start : self._place], sure
        end, sure = self._end_of_xml(name) or self._end_of_value()
        self._place = end + 1
        value = self._text[start:end]
        is_xml = sure and name.casefold().endswith(_XML_NAMES)
        return name, value, sure and (is_xml or not _SWALLOWED.search(value))

    def _end_of_value(self) -> tuple[int, bool]:
        sure = _QUOTE if self._numbered else _EARLY_QUOTE
        for pattern in (sure, _ANY_QUOTE):
            if (end := self._search(pattern)) is not None:
                return end, pattern is sure
        return len(self._text), False

    def _end_of_xml(self, name: str) -> tuple[int, bool] | None:
        if not name.casefold().endswith(_XML_NAMES) or not self._text.startswith("<", self._place):
            return None
        if _TAG not in self._in_vain and (end := _end_of_root(self._text, self._place)) is not None:
            return end, True
        self._in_vain.add(_TAG)
        end = self._search(_XML_QUOTE)
        return None if end is None else (end, False)

    def _search(self, pattern: re.Pattern[str]) -> int | None:
        if pattern in self._in_vain:
            return None
        found = pattern.search(self._text, self._place)
        if found is None:
            self._in_vain.add(pattern)
        return found.start() if found else None


def _is_foreign(name: str, number: str) -> bool:
    """Say whether a field tells something, and belongs to other events than this one."""
    own = _OWN.get(int(number)) if number.isdecimal() and len(number) < 9 else None
    return own is not None and name in _TELLING - own


def _end_of_root(text: str, place: int) -> int | None:
    """Return where the quote after a well-formed root element is; None where there is none."""
    depth = 0
    while tag := _TAG.match(text, place):
        depth += -1 if tag[1] else 0 if tag[0].endswith("/>") else 1
        if depth <= 0:
            return tag.end() if text.startswith('"', tag.end()) else None
        place = text.find("<", tag.end())
        if place < 0:
            return None
    return None


def _time(written: str, received_at: datetime) -> datetime:
    if written == "-":
        return received_at
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SyslogRefused("An event of Veeam's syslog has no valid time.") from None
