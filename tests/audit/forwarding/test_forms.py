"""One entry is one message, whatever was typed into it: log injection, CEF escapes, sizes."""

import json
import re
from datetime import UTC, datetime

import pytest

from audit.forwarders import forms
from audit.forwarders.forms import Message

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
# What a value may hold, and what must not leave as itself.
WICKED = {
    "a line end": "a\nb",
    "a carriage return": "a\rb",
    "a null": "a\x00b",
    "an escape sequence": "a\x1b[31mb",
    "a second control set": "a\x85b",
    "a line separator": "a\u2028b",
    "an override of direction": "a\u202eb",
    "an isolate": "a\u2066b",
    "an invisible sign": "a\u200bb",
    "a byte order mark": "a\ufeffb",
    "a tag sign": "a\U000e0041b",
}


def message(**changes) -> Message:
    told = {
        "entry": 7,
        "time": NOON,
        "event": "job.run",
        "number": 71304,
        "severity": "info",
        "veeam": None,
        "actor": "0d8e",
        "subject_type": "encryption.job",
        "subject_id": "5f1c",
        "facts": {"number": 1},
        "names": {},
        "leaf": "ab" * 32,
    }
    return Message(**(told | changes))


def test_syslog_is_rfc_5424_to_the_letter():
    assert forms.syslog(message(), host="vs.example") == (
        b'<110>1 2026-11-02T12:00:00Z vs.example VeeamSec - job.run [veeamsec@32473 entry="7" id="71304"'
        b' event="job.run" severity="info" actor="0d8e" subject="5f1c" subject_type="encryption.job" leaf="'
        + b"ab" * 32
        + b'"] \xef\xbb\xbfjob.run {"facts":{"number":1}}'
    )


def test_cef_is_told_to_the_letter():
    text = forms.cef(message(severity="high", veeam=31700), host="vs.example").decode().partition("\ufeff")[2]
    assert text == (
        "CEF:0|VeeamSec|VeeamSec|1|71304|job.run|8|rt=1793620800000 externalId=7 suid=0d8e cs1Label=subject"
        f" cs1=encryption.job 5f1c cs2Label=leaf cs2={'ab' * 32} cs3Label=veeam cs3=31700"
        ' msg={"facts":{"number":1}}'
    )


@pytest.mark.parametrize(("severity", "priority"), [("info", 110), ("high", 107), ("critical", 106)])
def test_severity_is_in_the_priority(severity, priority):
    assert forms.syslog(message(severity=severity), host="h").startswith(f"<{priority}>1 ".encode())


@pytest.mark.parametrize("form", [forms.syslog, forms.cef])
@pytest.mark.parametrize("field", ["subject_id", "actor", "event", "facts", "names"])
@pytest.mark.parametrize("wicked", WICKED.values(), ids=WICKED)
def test_log_injection_is_written_out(form, field, wicked):
    value = {"typed": wicked} if field in ("facts", "names") else wicked
    text = form(message(**{field: value}), host="h").decode()
    strange = set(wicked) - {"a", "b", "[", "3", "1", "m"}
    assert not strange & set(text.replace("\ufeff", "", 1))


@pytest.mark.parametrize("typed", ['"', "]", "\\", '"] [fake@1 entry="9', '\\"] x'])
def test_structured_data_cannot_be_left(typed):
    text = forms.syslog(message(subject_id=typed), host="h").decode()
    element = re.search(r'\[veeamsec@32473((?: [a-z_]+="(?:[^"\\\]]|\\.)*")+)\] \ufeff', text)
    found = dict(re.findall(r' ([a-z_]+)="((?:[^"\\\]]|\\.)*)"', element[1]))
    assert re.sub(r"\\(.)", r"\1", found["subject"]) == typed


@pytest.mark.parametrize("typed", ["a b", "a\nb", "a]b", "\u202ehost", "x" * 300])
def test_header_injection_by_the_host_is_refused(typed):
    head = forms.syslog(message(), host=typed).decode().partition(" [")[0]
    assert re.fullmatch(r"<110>1 \S+ [!-~]{1,255} VeeamSec - job\.run", head)


def test_cef_escape_in_the_head():
    text = forms.cef(message(event="a|b\\c"), host="h").decode().partition("\ufeff")[2]
    assert "|71304|a\\|b\\\\c|2|" in text


def test_cef_escape_in_a_value():
    text = forms.cef(message(subject_id="x msg=fake\\"), host="h").decode()
    assert "cs1=encryption.job x msg\\=fake\\\\ cs2Label=" in text


def test_cef_line_end_in_a_value():
    assert "cs1=encryption.job a\\\\u000ab " in forms.cef(message(subject_id="a\nb"), host="h").decode()


@pytest.mark.parametrize("form", [forms.syslog, forms.cef])
@pytest.mark.parametrize("largest", [forms.LARGEST, forms.LARGEST_DATAGRAM])
@pytest.mark.parametrize("sign", ["x", "=", "\\", "\u202e", "ü"])
def test_a_message_is_no_longer_than_it_may_be(form, largest, sign):
    assert len(form(message(facts={"long": sign * 60_000}), host="h", largest=largest)) <= largest


def test_what_was_cut_says_so():
    assert forms.syslog(message(facts={"x": "y" * 9000}), host="h").endswith(b'job.run {"cut":true}')


def test_a_frame_counts_octets_not_signs():
    assert forms.framed("ü".encode()) == b"2 \xc3\xbc"


def test_json_is_one_document_whatever_is_typed():
    told = json.loads(json.dumps(forms.as_json(message(facts={"x": "".join(WICKED.values())}))))
    assert told["facts"]["x"] == "".join(WICKED.values())
