"""What is read from a server: tolerant of every form that servers write."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encryption.engines.veeam import inventory, operations, reading
from encryption.errors import VeeamUnexpected
from tests.encryption.veeam.invented import VALUES

ONE = UUID("11111111-1111-4111-8111-111111111111")
TEN = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T10:00:00Z",
        "2026-11-02T12:00:00+02:00",
        "2026-11-02T10:00:00.0000000Z",
        "2026-11-02T10:00:00",
    ],
)
def test_a_time_is_read_in_every_form(text):
    assert reading.moment(text) == TEN


def test_digits_of_a_second_are_kept():
    assert reading.moment("2023-10-19T11:37:58.27+02:00").microsecond == 270_000


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        12,
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        [],
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_time_is_none(value):
    assert reading.moment(value) is None


@pytest.mark.parametrize("value", [str(ONE), str(ONE).upper(), f"{{{ONE}}}"])
def test_an_id_is_read_in_every_form(value):
    assert reading.uuid_or_none(value) == ONE


@pytest.mark.parametrize("value", [None, "", "x", 5, "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_id_is_none(value):
    assert reading.uuid_or_none(value) is None


@pytest.mark.parametrize("value", [None, "x", 5])
def test_an_id_that_must_be_there_is_asked_for(value):
    with pytest.raises(VeeamUnexpected):
        reading.identity(value, "a job")


@pytest.mark.parametrize("value", ["Working", "working", "WORKING"])
def test_an_enum_is_read_in_any_case(value):
    assert inventory.session({"id": str(ONE), "state": value}).state == "Working"


def test_an_enum_that_is_not_known_is_kept():
    assert inventory.session({"id": str(ONE), "state": "Dreaming"}).state == "Dreaming"


@pytest.mark.parametrize(
    ("value", "read"), [(True, True), ("True", True), (None, False), ("false", False), (1, False)]
)
def test_a_switch_is_on_only_when_it_says_so(value, read):
    assert reading.flag(value) is read


def test_words_of_the_server_stay_on_one_line():
    assert reading.quoted("a\r\nb\x1b[0m\u202ec" + "x" * 900).startswith("a  b [0m c")


def test_words_of_the_server_stay_short():
    assert len(reading.quoted("x" * 900)) == 300


def test_a_password_is_read():
    model = {
        "id": str(ONE),
        "hint": "Gold",
        "modificationTime": "2026-11-02T12:00:00+02:00",
        "uniqueId": "internal",
    }
    assert inventory.password(model) == inventory.Password(ONE, "Gold", TEN, "internal", False)


def test_a_password_of_nulls_is_read():
    model = dict.fromkeys(("hint", "modificationTime", "uniqueId", "isImported")) | {"id": str(ONE)}
    assert inventory.password(model) == inventory.Password(ONE, "", None)


def test_a_point_without_a_time_is_left_out():
    assert inventory.point({"id": str(ONE), "creationTime": None}) is None


def test_a_point_is_read():
    model = {
        "id": str(ONE), "name": "vm1", "creationTime": "2026-11-02T10:00:00Z", "backupId": str(ONE),
        "type": "increment", "originalSize": 5, "gfsPeriods": ["Weekly"], "unknown": {},
    }  # fmt: skip
    assert inventory.point(model) == (ONE, "vm1", TEN, ONE, "Increment", 5, None, None, ("Weekly",))


def test_a_session_that_stopped_is_over():
    assert inventory.session({"id": str(ONE), "state": "stopped", "result": None}).is_over


def test_a_sessions_result_is_read():
    model = {"id": str(ONE), "result": {"result": "failed", "message": "no\nspace", "isCanceled": True}}
    session = inventory.session(model)
    assert (session.result, session.message, session.is_canceled) == ("Failed", "no space", True)


@pytest.mark.parametrize(
    ("block", "encrypted"),
    [
        ({"isEnabled": True, "passwordId": str(ONE)}, True),
        ({"isEnabled": True, "passwordId": "00000000-0000-0000-0000-000000000000"}, False),
        ({"isEnabled": True, "passwordId": None}, False),
        ({"isEnabled": False, "passwordId": str(ONE)}, False),
        (None, False),
    ],
)
def test_a_configuration_backup_is_encrypted_with_a_named_password_only(block, encrypted):
    assert inventory.configuration_backup({"isEnabled": True, "encryption": block}).encrypted is encrypted


def test_muted_events_are_read():
    filters = [{"eventId": "31700", "severity": ["Info"]}, {"eventId": "x", "severity": None}, None]
    model = {"syslogServer": None, "syslogEventFiltering": filters}
    assert inventory.forwarding(model) == inventory.Forwarding("", None, "", "", {31700: ("Info",)})


def test_roles_of_a_user_are_read():
    model = {"id": str(ONE), "name": "TECH\\a", "roles": [{"name": "Veeam Backup Administrator"}, None]}
    assert inventory.user(model).roles == ("Veeam Backup Administrator",)


@pytest.mark.parametrize(
    ("build", "revision"),
    [
        ("13.1.0.411", "1.3-rev2"),
        ("14.0.0.1", "1.3-rev2"),
        ("13.0.1.180", "1.3-rev1"),
        ("13.0.1.2067 P20260101", "1.3-rev1"),
        ("13.0.0.4967", "1.3-rev0"),
        ("12.3.2.3617", "1.2-rev1"),
        ("12.3.1.1139", "1.2-rev1"),
        ("12.3.0.310", None),
        ("", None),
        ("thirteen", None),
        ("13.." + "9" * 99, None),
    ],
)
def test_a_build_tells_its_revision(build, revision):
    assert operations.revision_of(build) == revision


READERS = (
    inventory.configuration_backup,
    inventory.finding,
    inventory.forwarding,
    inventory.four_eyes_event,
    inventory.password,
    inventory.point,
    inventory.role,
    inventory.server_info,
    inventory.session,
    inventory.user,
)
FIELDS = [
    "bestPractice", "creationTime", "encryption", "endTime", "gfsPeriods", "hint", "isEnabled", "name",
    "lastSuccessfulBackup", "modificationTime", "originalSize", "result", "roles", "state", "status",
    "syslogEventFiltering", "syslogServer", "type",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_json_is_read(reader, fields):
    reader({"id": str(ONE)} | fields)


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b"])
def test_a_text_can_be_stored(value):
    assert reading.text(value) in ("a\ufffdb", "a?b")


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, True, 1.5, "5", None])
def test_what_is_no_whole_number_of_64_bits_is_none(value):
    assert reading.whole(value) is None
