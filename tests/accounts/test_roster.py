"""P4: who may decide is what the worker signed, in canonical form."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts import roster
from accounts.errors import RosterInvalid
from accounts.roster import Credential, Entry, RosterBody
from audit import dsse

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DORA, CARL, ANNA = (
    Entry(
        user=uuid.UUID(int=n),
        person=uuid.UUID(int=10 + n),
        since=NOON,
        credentials=(Credential(id=f"key{n}", public_key="AAAA"),),
        title=title,
    )
    for n, title in ((1, "dpo"), (2, "ciso"), (3, None))
)
FIRST = RosterBody(number=1, time=NOON, security=(DORA, CARL), administrators=(ANNA,))


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_a_roster_reads_back_as_it_was_built() -> None:
    assert roster.parse(roster.build(FIRST)) == FIRST


def test_the_bytes_do_not_depend_on_the_order_of_entries() -> None:
    assert roster.build(replace(FIRST, security=(CARL, DORA))) == roster.build(FIRST)


def test_the_body_has_the_documented_names() -> None:
    body = json.loads(roster.build(FIRST))
    assert body["type"] == "veeamsec-roster"
    assert body.keys() == {
        "administrators",
        "number",
        "previous",
        "request",
        "security",
        "time",
        "type",
        "version",
    }
    assert body["security"][0].keys() == {"credentials", "person", "since", "title", "user"}
    assert body["administrators"][0].keys() == {"credentials", "person", "since", "user"}


def test_a_signed_roster_opens(key: Ed25519PrivateKey) -> None:
    envelope = roster.sign(roster.build(FIRST), key, "k")
    assert roster.open_roster(envelope, key.public_key()) == FIRST


def test_a_forged_roster_is_refused(key: Ed25519PrivateKey) -> None:
    """P4: another key's signature seats nobody."""
    envelope = roster.sign(roster.build(FIRST), Ed25519PrivateKey.generate(), "k")
    with pytest.raises(RosterInvalid, match="not signed"):
        roster.open_roster(envelope, key.public_key())


def test_a_roster_signed_as_something_else_is_refused(key: Ed25519PrivateKey) -> None:
    envelope = dsse.sign(roster.build(FIRST), key, "k")
    with pytest.raises(RosterInvalid):
        roster.open_roster(envelope, key.public_key())


def test_the_next_roster_names_the_one_before() -> None:
    second = replace(FIRST, number=2, previous=roster.digest(roster.build(FIRST)), request=uuid.UUID(int=5))
    assert roster.parse(roster.build(second)) == second


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": 2},
        {"previous": "a" * 64},
        {"number": 2, "previous": "short"},
        {"security": (DORA,)},
        {"security": (DORA, replace(CARL, person=DORA.person))},
        {"security": (DORA, replace(CARL, title=None))},
        {"security": (DORA, replace(CARL, title="boss"))},
        {"administrators": (replace(ANNA, title="dpo"),)},
        {"administrators": (replace(ANNA, person=DORA.person),)},
        {"administrators": (replace(ANNA, credentials=DORA.credentials),)},
    ],
)
def test_an_unsound_roster_is_refused(change: dict[str, Any]) -> None:
    """P3, P4: one person twice, a gap, a stranger's title or a shared key."""
    with pytest.raises(RosterInvalid):
        roster.parse(roster.build(replace(FIRST, **change)))


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"1", b"{}", b"\xff", b"[" * 100_000, roster.build(FIRST) + b"\n", b" " * 3_000_000],
)
def test_bytes_that_are_no_roster_are_refused(payload: bytes) -> None:
    with pytest.raises(RosterInvalid):
        roster.parse(payload)


def test_json_in_another_order_is_refused() -> None:
    body = json.loads(roster.build(FIRST))
    with pytest.raises(RosterInvalid, match="canonical"):
        roster.parse(json.dumps(dict(reversed(body.items())), separators=(",", ":")).encode())


def test_a_name_that_is_not_ours_is_refused() -> None:
    body = json.loads(roster.build(FIRST)) | {"zz": 1}
    with pytest.raises(RosterInvalid, match="canonical"):
        roster.parse(json.dumps(body, separators=(",", ":")).encode())


def test_an_entry_is_found_by_its_account() -> None:
    assert FIRST.entry(ANNA.user) == ANNA
    assert FIRST.entry(uuid.UUID(int=99)) is None


def test_a_credential_is_found_by_its_id() -> None:
    assert DORA.credential("key1") == DORA.credentials[0]
    assert DORA.credential("key2") is None
