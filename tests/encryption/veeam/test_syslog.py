"""The vendor's dialect of syslog: quotes that are not escaped, values that imitate fields, garbage."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryption.engines.veeam import syslog
from encryption.engines.veeam.syslog import parse
from encryption.errors import SyslogRefused

NOW = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
CHANGES = '<changes><change name="EncryptionPasswordHint" old="a" new="b" /><change value="***"/></changes>'
WHO = '<ModifiedUserInfo fullName="TECH\\user1" loginType="0" />'
ID = "6ebbe3cc-8147-47b6-b77a-01eeb7965522"
FIELDS = {
    "Hint": "Standard Password",
    "ID": ID,
    "ChangesXML": CHANGES,
    "UserName": "TECH\\user1",
    "UserFullInfo": WHO,
    "VbrHostName": "vbr01.tech.example",
    "VbrVersion": "13.0.1.180",
    "Version": "1",
    "Description": "Encryption password has been modified",
}


def line(number=31700, at="2026-11-02T12:00:00.1234567+02:00", before="<14>", **changed) -> bytes:
    told = " ".join(f'{name}="{value}"' for name, value in (FIELDS | changed).items() if value is not None)
    return (
        f'{before}1 {at} VBR01 Veeam_MP - - [origin enterpriseId="31023"] '
        f"[categoryId=0 instanceId={number} {told}]"
    ).encode()


def test_an_event_is_read():
    event = parse(line(), NOW)
    assert (event.number, event.host, event.description, event.doubtful) == (
        31700,
        "VBR01",
        FIELDS["Description"],
        False,
    )


def test_every_field_is_read_as_it_was_written():
    found = parse(line(), NOW).fields
    assert {name: found[name] for name in FIELDS} == FIELDS


def test_its_time_is_in_utc():
    assert parse(line(), NOW).happened_at == datetime(2026, 11, 2, 10, 0, 0, 123456, tzinfo=UTC)


def test_a_time_without_a_zone_is_utc():
    assert parse(line(at="2026-11-02T12:00:00"), NOW).happened_at.hour == 12


def test_without_a_time_it_happened_when_it_came():
    assert parse(line(at="-"), NOW).happened_at == NOW


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_refused(at):
    with pytest.raises(SyslogRefused):
        parse(line(at=at), NOW)


@pytest.mark.parametrize("before", ["", "<14>", "<191>", "\ufeff<14>"])
def test_a_priority_may_be_missing(before):
    assert parse(line(before=before), NOW).number == 31700


@pytest.mark.parametrize("after", [b"\n", b"\r\n", b"\0", b" "])
def test_what_ends_a_frame_is_no_part_of_it(after):
    assert parse(line() + after, NOW) == parse(line(), NOW)


def test_values_without_quotes_are_read():
    assert (
        parse(line(PasswordMatched="True").replace(b'"True"', b"True"), NOW).fields["PasswordMatched"]
        == "True"
    )


def test_an_empty_value_is_read():
    event = parse(line(Hint="", ChangesXML=""), NOW)
    assert (event.fields["Hint"], event.fields["ID"], event.doubtful) == ("", ID, False)


@pytest.mark.parametrize(
    "hint",
    [
        'a "b" c',
        'x"',
        '"',
        "a]b",
        'x"] [y',
        '"] ',
        "<x",
        "<x>",
        'a="b"',
        "C:\\",
        "ß 鍵",
        'x\\" ID=\\"y',
        "a = b",
    ],
)
def test_a_hint_with_signs_of_the_dialect_is_read(hint):
    event = parse(line(Hint=hint), NOW)
    assert (event.fields["Hint"], event.fields["ID"], event.fields["UserName"]) == (
        hint,
        ID,
        FIELDS["UserName"],
    )


@pytest.mark.parametrize("hint", ['" a=', 'x" ID="other" a=', 'x" ID="other" aXML="<b c=', 'x" ID=other a='])
def test_a_hint_that_swallows_a_field_makes_the_event_doubtful(hint):
    assert parse(line(Hint=hint), NOW).doubtful


def test_a_job_that_imitates_a_passwords_event_makes_its_own_doubtful():
    job = {"JobID": ID, "JobName": 'x" ID="other', "UserName": "TECH\\user1"}
    only = dict.fromkeys(("Hint", "ID", "UserFullInfo", "ChangesXML")) | job
    assert parse(line(23050, **only), NOW).doubtful


def test_a_field_that_nobody_knows_is_kept_without_doubt():
    event = parse(line(NewInAVersionToCome="x"), NOW)
    assert (event.fields["NewInAVersionToCome"], event.doubtful) == ("x", False)


@pytest.mark.parametrize("field", ["UserName", "ID", "Description", "instanceId"])
def test_a_hint_that_imitates_a_field_makes_the_event_doubtful(field):
    assert parse(line(Hint=f'x" {field}="1'), NOW).doubtful


def test_a_hint_names_no_other_actor():
    assert parse(line(Hint='x" UserName="TECH\\boss'), NOW).fields["UserName"] == "TECH\\boss | TECH\\user1"


def test_a_hint_makes_no_other_event_of_it():
    assert parse(line(Hint='x" instanceId="23050'), NOW).number == 31700


def test_xml_that_is_not_well_formed_ends_where_a_name_begins():
    event = parse(line(ChangesXML='<changes a="b" <c d="e">'), NOW)
    assert (event.fields["UserName"], event.doubtful) == (FIELDS["UserName"], True)


def test_names_in_xml_are_no_fields():
    assert "loginType" not in parse(line(), NOW).fields


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"\xff\xfe\xfd",
        b"<14>1 2026-11-02T12:00:00Z VBR01 Other_App - - [x instanceId=1]",
        b"<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - no fields",
        b"<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - [x]",
        b'<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - [x instanceId="x"]',
        b"<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - [x instanceId=9999999999]",
        "<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - [x instanceId=٣]".encode(),
        b"<14>Nov  2 12:00:00 VBR01 Veeam_MP: text",
        b"<14>1 2026-11-02T12:00:00Z VBR01 Veeam_MP - - [x instanceId=1 " + b"a=1 " * 300 + b"]",
        b"x" * (syslog.LARGEST + 1),
    ],
)
def test_what_is_no_event_is_refused(data):
    with pytest.raises(SyslogRefused):
        parse(data, NOW)


@pytest.mark.parametrize("cut", [1, 20, 60, 100, 200, 300])
def test_a_line_that_was_cut_is_refused_or_doubtful(cut):
    try:
        event = parse(line()[:-cut], NOW)
    except SyslogRefused:
        return
    assert event.doubtful


@pytest.mark.parametrize(
    "piece",
    [
        b'aXML="<" ',
        b'a="',
        b'"',
        b"<b>",
        b" ",
        b'a=" ',
        b"[a",
        b'a="x"] ',
        b"a",
        b"<",
        b'b="c" ',
        b"]",
        b"a=",
    ],
)
def test_no_line_takes_long(piece):
    start = b'<14>1 - h Veeam_MP - - [instanceId=1 aXML="<a '
    before = time.process_time()
    for head in (start, start[:-9]):
        try:
            parse(head + piece * (200_000 // len(piece)), NOW)
        except SyslogRefused:
            continue
    assert time.process_time() - before < 3


@given(st.binary(max_size=400))
def test_any_bytes_end(data):
    for before in (b"", b"<14>1 - h Veeam_MP - - ", b"<14>1 - h Veeam_MP - - [instanceId=1 a="):
        try:
            parse(before + data, NOW)
        except SyslogRefused:
            continue


_SIGNS = [
    '"',
    " ",
    "=",
    "[",
    "]",
    "<",
    ">",
    "/>",
    "a",
    "ID",
    "instanceId=1",
    "\\",
    "\n",
    'x="',
    '" ID="f',
    ' aXML="<b c=',
]


@given(st.lists(st.sampled_from(_SIGNS)).map("".join))
def test_no_hint_hides_or_changes_what_an_event_is_about(hint):
    event = parse(line(Hint=hint), NOW)
    found = [event.fields.get(name) == FIELDS[name] for name in ("ID", "UserName", "Description")]
    assert (event.number, all(found) or event.doubtful) == (31700, True)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters='"'), max_size=60))
def test_a_hint_without_quotes_comes_through(hint):
    event = parse(line(Hint=hint), NOW)
    assert (event.fields["Hint"], event.fields["ID"], event.doubtful) == (hint, ID, False)
