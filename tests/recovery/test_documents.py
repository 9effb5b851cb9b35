"""What travels: written, read, and refused when anything in it was touched."""

import base64
import dataclasses
import json
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit import dsse
from encryption.crypto import kdf, keysets
from encryption.crypto.secret import Secret
from encryption.engines.native.recovery import Line, in_order, read_line, sign_line, verify_line
from encryption.errors import BadRecoveryLine, KdfRefused
from recovery.documents import exchange, export, forms, identities
from recovery.errors import DoesNotOpen, NotGenuine

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
KEY, SEALING = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()


def a_line(keyset: keysets.Pair, storage_key: bytes, **changed: object) -> Line:
    """A signed line, as a backup writes it."""
    plain = Line(uuid4(), uuid4(), uuid4(), uuid4(), keyset.suite, uuid4(), b"")
    plain = dataclasses.replace(plain, **changed)
    wrapped = keysets.wrapper(keyset.suite, keyset.public)(storage_key, plain.bound_to)
    return read_line(sign_line(dataclasses.replace(plain, wrapped=wrapped), KEY))


@pytest.fixture(scope="module", params=[keysets.RSA, keysets.X_WING])
def keyset(request):
    """A keyset of each suite."""
    return keysets.generate(request.param)


def test_a_line_opens_with_the_private_half_alone(keyset):
    storage_key = os.urandom(32)
    line = a_line(keyset, storage_key)
    verify_line(line, KEY.public_key())
    assert keysets.opener(keyset.suite, keyset.private)(line.wrapped, line.bound_to) == storage_key


@pytest.mark.parametrize("name", ["job", "restore_point", "storage_key", "keyset", "server"])
def test_a_moved_line_is_refused(keyset, name):
    moved = dataclasses.replace(a_line(keyset, os.urandom(32)), **{name: uuid4()})
    with pytest.raises(BadRecoveryLine):
        verify_line(moved, KEY.public_key())


def test_a_line_with_another_key_in_it_is_refused():
    line = json.loads(sign_line(a_line(keysets.generate(keysets.X_WING), os.urandom(32)), KEY))
    with pytest.raises(BadRecoveryLine):
        read_line(json.dumps(line | {"note": "x"}).encode())


def server(**changed: object) -> identities.Server:
    """A backup server's identity."""
    plain = identities.Server(
        uuid4(),
        "Backup A",
        "x25519",
        SEALING.public_key().public_bytes_raw(),
        KEY.public_key().public_bytes_raw(),
        NOW,
    )
    return dataclasses.replace(plain, **changed)


def signed(payload: bytes, kind: str, key: Ed25519PrivateKey = KEY) -> dict[str, object]:
    """An envelope of a payload."""
    return dsse.sign(payload, key, "", payload_type=kind)


def test_a_registration_is_read_as_it_was_written():
    made = server()
    payload = identities.build_server(made)
    assert identities.open_server(signed(payload, identities.SERVER_TYPE)) == (made, payload)


def test_a_registration_that_another_key_signed_is_refused():
    envelope = signed(identities.build_server(server()), identities.SERVER_TYPE, Ed25519PrivateKey.generate())
    with pytest.raises(NotGenuine):
        identities.open_server(envelope)


@pytest.mark.parametrize(
    "changed", [{"name": ""}, {"kem": "p384"}, {"sealing_key": b"short"}, {"name": "x" * 121}]
)
def test_a_registration_out_of_bounds_is_refused(changed):
    with pytest.raises(NotGenuine):
        identities.open_server(signed(identities.build_server(server(**changed)), identities.SERVER_TYPE))


def test_an_announcement_is_read_as_it_was_written():
    pair = keysets.generate(keysets.X_WING)
    made = identities.Announcement(
        uuid4(), pair.suite, pair.public, "Winter", uuid4(), KEY.public_key().public_bytes_raw(), NOW, NOW
    )
    payload = identities.build_keyset(made)
    assert identities.open_keyset(signed(payload, identities.KEYSET_TYPE)) == (made, payload)


def request_of(lines: list[Line]) -> exchange.Request:
    """A request for some lines."""
    return exchange.Request(
        uuid4(), uuid4(), os.urandom(32), "The password is gone.", NOW, tuple(in_order(lines))
    )


def test_a_request_is_read_as_it_was_written():
    pair = keysets.generate(keysets.X_WING)
    made = request_of([a_line(pair, os.urandom(32)) for _ in range(3)])
    payload = exchange.build_request(made)
    envelope = signed(payload, exchange.REQUEST_TYPE)
    assert exchange.open_request(envelope, KEY.public_key()) == (made, payload)
    assert exchange.asking_server(envelope) == made.server


@pytest.mark.parametrize("name", ["lines", "keysets", "nonce", "reason", "request", "server", "time"])
def test_a_request_with_a_changed_part_is_refused(name):
    payload = exchange.build_request(request_of([a_line(keysets.generate(keysets.X_WING), os.urandom(32))]))
    envelope = signed(payload, exchange.REQUEST_TYPE)
    value = json.loads(payload)
    value[name] = value[name][:-1] if isinstance(value[name], list) else value[name][:-1] + "x"
    envelope["payload"] = base64.b64encode(json.dumps(value).encode()).decode()
    with pytest.raises(NotGenuine):
        exchange.open_request(envelope, KEY.public_key())


def test_a_signed_request_in_another_spelling_is_refused():
    payload = exchange.build_request(request_of([a_line(keysets.generate(keysets.X_WING), os.urandom(32))]))
    loose = json.dumps(json.loads(payload)).encode()
    with pytest.raises(NotGenuine):
        exchange.open_request(signed(loose, exchange.REQUEST_TYPE), KEY.public_key())


@pytest.mark.parametrize("key", [SEALING, generate_private_key(SECP256R1())])
def test_only_the_server_that_asked_opens_the_keys(key):
    ids = {"request": uuid4(), "server": uuid4()}
    keys = [exchange.OpenedKey(uuid4(), uuid4(), uuid4(), os.urandom(32)) for _ in range(3)]
    sealed = exchange.seal_keys(keys, key.public_key(), **ids)
    assert exchange.open_keys(sealed, key, **ids) == sorted(keys, key=lambda one: str(one.storage_key))
    with pytest.raises(DoesNotOpen):
        exchange.open_keys(sealed, key, **(ids | {"request": uuid4()}))
    with pytest.raises(DoesNotOpen):
        exchange.open_keys(sealed, X25519PrivateKey.generate(), **ids)


def test_a_response_is_read_as_it_was_written():
    made = exchange.Response(
        uuid4(),
        "ab" * 32,
        os.urandom(32),
        uuid4(),
        uuid4(),
        "CASE-7",
        b"sealed",
        NOW,
        NOW + timedelta(days=7),
    )
    envelope = signed(exchange.build_response(made), exchange.RESPONSE_TYPE)
    assert exchange.open_response(envelope, KEY.public_key()) == made
    with pytest.raises(NotGenuine):
        exchange.open_response(envelope, Ed25519PrivateKey.generate().public_key())


def test_an_export_opens_with_its_passphrase_alone(keyset):
    head = export.Head(
        uuid4(), keyset.suite, keyset.public, "Winter", uuid4(), NOW, kdf.new_parameters(fips=False)
    )
    text = export.seal(head, keyset.private, Secret(b"a passphrase of length"))
    assert export.open_export(text, Secret(b"a passphrase of length")) == (head, keyset.private)
    with pytest.raises(DoesNotOpen):
        export.open_export(text, Secret(b"another passphrase here"))
    value = json.loads(text)
    value["head"]["description"] = "Summer"
    with pytest.raises(DoesNotOpen):
        export.open_export(json.dumps(value).encode(), Secret(b"a passphrase of length"))


def test_an_export_that_asks_for_a_costly_derivation_is_refused_before_it():
    pair = keysets.generate(keysets.X_WING)
    head = export.Head(uuid4(), pair.suite, pair.public, "", uuid4(), NOW, kdf.new_parameters(fips=False))
    value = json.loads(export.seal(head, pair.private, Secret(b"a passphrase of length")))
    value["head"]["kdf"]["memory_kib"] = 2**31
    with pytest.raises((KdfRefused, NotGenuine)):
        export.open_export(json.dumps(value).encode(), Secret(b"a passphrase of length"))


def test_a_fingerprint_is_shown_in_groups():
    assert forms.in_groups("ab" * 32) == " ".join(["abab"] * 16)
