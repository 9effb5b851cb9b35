"""One spelling of each value; every other is refused."""

import pytest

from encryption.crypto.encoding import canonical, from_base64, from_integer, from_uuid, parse


def test_canonical_text_parses_back():
    value = {"b": [1, -2, None, True], "a": "é\u2028", "n": {"x": "\x7f"}}
    assert parse(canonical(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"1",
        b'{"a":1,"a":1}',
        b'{"n":{"a":1,"a":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1} x',
        b'{"a":"\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_other_json_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize("text", ["YQ", "YR==", "YQ==\n", "YQ= =", "Y-==", "é", None, 1])
def test_other_base64_is_refused(text):
    with pytest.raises(ValueError):
        from_base64(text)


def test_base64_of_another_length_is_refused():
    with pytest.raises(ValueError):
        from_base64("YQ==", 2)


@pytest.mark.parametrize(
    "text",
    [
        "0000000000000000000000000000000A",
        "00000000-0000-0000-0000-00000000000A",
        "{00000000-0000-0000-0000-000000000000}",
        "00000000-0000-0000-0000-000000000000\n",
        None,
    ],
)
def test_other_uuids_are_refused(text):
    with pytest.raises(ValueError):
        from_uuid(text)


@pytest.mark.parametrize("value", [True, "1", 1.0, 4, 0, None])
def test_other_integers_are_refused(value):
    with pytest.raises(ValueError):
        from_integer(value, 1, 3)
