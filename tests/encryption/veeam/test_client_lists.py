"""Lists in pages, and readings that are repeated within bounds."""

import tracemalloc
from uuid import UUID, uuid4

import pytest

from encryption.crypto.secret import Secret
from encryption.engines.veeam import wire
from encryption.engines.veeam.paging import Page, entries
from encryption.errors import EngineError, VeeamBusy, VeeamCut, VeeamUnexpected, VeeamUnreachable
from tests.encryption.veeam.scripted import Reply, listed

ONE = UUID("11111111-1111-4111-8111-111111111111")
LIST = "/api/v1/encryptionPasswords"


def made(count: int, first: int = 0) -> list[dict]:
    return [{"id": f"{number:06}"} for number in range(first, first + count)]


def read(source: list[dict], size: int, between=lambda turn: None) -> list[str]:
    turns = []

    def fetch(skip, limit):
        between(len(turns))
        turns.append(skip)
        assert len(turns) < 200
        return Page(source[skip : skip + limit], len(source))

    return [entry["id"] for entry in entries(fetch, size)]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 18, 19, 20, 95])
def test_every_entry_is_handed_out_once(count):
    assert read(made(count), 10) == [entry["id"] for entry in made(count)]


@pytest.mark.parametrize("gone", [1, 4, 12])
def test_what_is_deleted_before_the_place_hides_nothing(gone):
    source = made(60)

    def delete(turn):
        if turn == 3:
            del source[:gone]

    assert set(read(source, 10, delete)) >= {entry["id"] for entry in source}


def test_the_last_entry_of_a_page_may_be_deleted():
    source = made(40)

    def delete(turn):
        if turn == 1:
            source.remove({"id": "000009"})

    assert set(read(source, 10, delete)) == {entry["id"] for entry in made(40)}


def test_what_is_added_before_the_place_comes_not_twice():
    source = made(60, first=100)

    def add(turn):
        if turn == 3:
            source[:0] = made(5)

    assert len(read(source, 10, add)) == 60


def test_a_list_that_repeats_itself_ends():
    with pytest.raises(VeeamUnexpected):
        list(entries(lambda skip, limit: Page(made(10), 50), 10))


def test_a_list_that_always_moves_ends():
    with pytest.raises(VeeamUnexpected):
        list(entries(lambda skip, limit: Page([{"id": str(uuid4())} for _ in range(limit)], 10**6), 10))


def test_a_list_without_a_length_ends_with_a_short_page():
    source = made(25)
    found = list(entries(lambda skip, limit: Page(source[skip : skip + limit], None), 10))
    assert found == source


def test_a_server_may_give_smaller_pages():
    source = made(25)
    found = list(entries(lambda skip, limit: Page(source[skip : skip + 4], 25), 10))
    assert found == source


def test_an_entry_without_an_id_is_unexpected():
    with pytest.raises(VeeamUnexpected):
        list(entries(lambda skip, limit: Page([{}], 1), 10))


def test_pages_are_asked_for_as_they_are_needed(scripted, client):
    models = [{"id": str(uuid4()), "hint": str(number)} for number in range(900)]
    scripted.answering = lambda asked: listed(models, asked) if asked.path == LIST else None
    next(client.passwords())
    assert len(scripted.calls(LIST)) == 1


def test_a_long_list_is_never_held(scripted, client):
    """50,000 restore points pass through less memory than 5,000 would take."""
    path = "/api/v1/restorePoints"
    models = [
        {"id": str(UUID(int=number + 1)), "creationTime": "2026-11-02T10:00:00Z", "name": f"vm{number}"}
        for number in range(50_000)
    ]
    scripted.answering = lambda asked: listed(models, asked) if asked.path == path else None
    next(client.restore_points())
    tracemalloc.start()
    try:
        assert sum(1 for _ in client.restore_points()) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [[], {"data": 5, "pagination": {}}, {"data": [5]}])
def test_a_list_that_is_none_is_unexpected(scripted, client, body):
    scripted.answering = lambda asked: Reply(200, body) if asked.path == LIST else None
    with pytest.raises(VeeamUnexpected):
        list(client.passwords())


def test_a_list_of_null_is_empty(scripted, client):
    scripted.answering = lambda asked: Reply(200, {"data": None}) if asked.path == LIST else None
    assert list(client.passwords()) == []


def faulty(scripted, *faults):
    """Answer the list with these faults first."""
    waiting = list(faults)

    def answering(asked):
        if asked.path != LIST:
            return None
        return waiting.pop(0) if waiting else listed([], asked)

    scripted.answering = answering


BUSY = Reply(503, {"errorCode": "ServiceUnavailable", "message": "later"})


@pytest.mark.parametrize("fault", [Reply(429), BUSY, Reply(500, BUSY.body), Reply(200, {}, cut=True)])
def test_a_reading_is_repeated(scripted, client, waits, fault):
    faulty(scripted, fault, fault)
    assert list(client.passwords()) == []
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(("fault", "error"), [(BUSY, VeeamBusy), (Reply(200, {}, cut=True), VeeamCut)])
def test_a_reading_is_repeated_within_bounds(scripted, client, waits, fault, error):
    faulty(scripted, *[fault] * 9)
    with pytest.raises(error):
        list(client.passwords())
    assert len(scripted.calls(LIST)) == 4


def test_retry_after_is_honoured(scripted, client, waits):
    faulty(scripted, Reply(429, headers={"Retry-After": "7"}))
    list(client.passwords())
    assert waits == [7.0]


def test_retry_after_may_be_a_date_that_is_past(scripted, client, waits):
    faulty(scripted, Reply(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    list(client.passwords())
    assert waits == [0.0]


@pytest.mark.parametrize("asked", ["soon", "-1", "1e9", "9" * 400])
def test_retry_after_that_is_none_is_left_aside(scripted, client, waits, asked):
    faulty(scripted, Reply(429, headers={"Retry-After": asked}))
    list(client.passwords())
    assert waits == [0.5]


def test_a_server_that_asks_for_long_is_left_alone(scripted, client, waits):
    faulty(scripted, Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(VeeamBusy):
        list(client.passwords())
    assert (waits, len(scripted.calls(LIST))) == ([], 1)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500])
def test_other_refusals_are_not_repeated(scripted, client, waits, status):
    faulty(scripted, *[Reply(status)] * 2)
    with pytest.raises(EngineError):
        list(client.passwords())
    assert len(scripted.calls(LIST)) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Reply(429), VeeamBusy),
        (BUSY, VeeamBusy),
        (Reply(409), VeeamBusy),
        (Reply(200, {}, cut=True), VeeamCut),
    ],
)
def test_a_change_is_sent_once(scripted, client, waits, fault, error):
    scripted.answering = lambda asked: fault if "changepassword" in asked.path else None
    with pytest.raises(error):
        client.change_password(ONE, "x", Secret(b"y"))
    assert len([one for one in scripted.asked if "changepassword" in one.path]) == 1


def test_a_change_with_an_expired_token_is_sent_again(scripted, client):
    replies = [Reply(401, {"errorCode": "ExpiredToken", "message": "late"}), Reply(200)]
    scripted.answering = lambda asked: replies.pop(0) if "changepassword" in asked.path else None
    client.change_password(ONE, "x", Secret(b"y"))
    assert replies == []


def test_an_answer_without_end_is_refused(scripted, client, monkeypatch):
    monkeypatch.setattr(wire, "_LARGEST_ANSWER", 1 << 20)
    scripted.answering = lambda asked: Reply(200, b" " * (2 << 20)) if asked.path == LIST else None
    with pytest.raises(VeeamUnexpected):
        list(client.passwords())


def test_an_answer_that_drips_is_refused(scripted, client, monkeypatch, waits):
    monkeypatch.setattr(wire, "_LONGEST_ANSWER", -1.0)
    with pytest.raises(VeeamCut):
        client.server_info()


def test_a_packed_answer_is_refused(scripted, client):
    scripted.answering = lambda asked: Reply(200, b"x", {"Content-Encoding": "gzip"})
    with pytest.raises(VeeamUnexpected):
        client.server_info()


def test_a_server_that_is_away_says_so(scripted, open_client, waits, monkeypatch):
    client = open_client()
    client._wire.place = "127.0.0.1:1"
    with pytest.raises(VeeamUnreachable):
        _ = client.revision
    assert len(waits) == 3
