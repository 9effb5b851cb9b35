"""A master key under a guard: no clear key on the disk, nothing opens without the guard, all comes back."""

import ssl

import pkcs11
import pytest

from encryption.crypto import providers
from encryption.crypto.encoding import to_base64
from encryption.crypto.providers import hsm, sources
from encryption.errors import EngineError, KeyMaterialError, KeysAway
from tests.guards import kmip_peer, token
from tests.guards.fixtures import guard, kmip, kmip_server, softhsm  # noqa: F401


@pytest.fixture
def guarded(guard, tmp_path, monkeypatch):  # noqa: F811
    """The worker's keys, made under a guard."""
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    return tmp_path / "worker"


def test_the_key_is_the_same_each_time(guarded):
    assert providers.load_master(guarded) == providers.load_master(guarded)


def test_a_second_start_keeps_the_key(guarded, tmp_path):
    key = providers.load_master(guarded)
    providers.make_worker_keys(guarded, tmp_path / "public")
    assert providers.load_master(guarded) == key


def test_no_clear_key_lies_on_the_disk(guarded):
    key = providers.load_master(guarded).key
    for path in guarded.iterdir():
        content = path.read_bytes()
        assert key not in content
        assert to_base64(key).encode() not in content


def test_away_and_back(guarded, guard):  # noqa: F811
    key = providers.load_master(guarded)
    guard.away()
    with pytest.raises(KeysAway):
        providers.load_master(guarded)
    guard.back()
    assert providers.load_master(guarded) == key


def test_nothing_is_made_anew_while_the_guard_is_away(guarded, guard, tmp_path):  # noqa: F811
    before = (guarded / "master.key").read_bytes()
    guard.away()
    with pytest.raises(KeysAway):
        providers.make_worker_keys(guarded, tmp_path / "public")
    assert (guarded / "master.key").read_bytes() == before


def test_no_half_made_key_is_left_where_the_guard_was_never_there(guard, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)
    guard.away()
    with pytest.raises(KeysAway):
        providers.make_enterprise_keys(tmp_path / "enterprise", tmp_path / "public")
    assert list((tmp_path / "enterprise").iterdir()) == []


def test_away_is_no_fault_of_the_key():
    """What catches faults of keys and files must let it pass, so that work waits."""
    assert not issubclass(KeysAway, EngineError | OSError)


def test_changed_bytes_are_damage(guarded):
    form, kind, key_id, wrapped = (guarded / "master.key").read_text().split()
    turned = wrapped[:-8] + ("A" if wrapped[-8] != "A" else "B") + wrapped[-7:]
    (guarded / "master.key").write_text(f"{form} {kind} {key_id} {turned}\n")
    with pytest.raises(KeyMaterialError):
        providers.load_master(guarded)


def test_another_key_than_the_named_one_is_refused(guarded):
    form, kind, _, wrapped = (guarded / "master.key").read_text().split()
    (guarded / "master.key").write_text(f"{form} {kind} {'00' * 16} {wrapped}\n")
    with pytest.raises(KeyMaterialError, match="another key"):
        providers.load_master(guarded)


def test_a_guarded_key_is_none_for_files(guarded, monkeypatch):
    monkeypatch.delenv("VEEAMSEC_KEYS")
    with pytest.raises(KeysAway, match="names no guard"):
        providers.load_master(guarded)


def test_a_clear_key_is_none_for_a_guard(guard, tmp_path, monkeypatch):  # noqa: F811
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)
    with pytest.raises(KeysAway, match="in clear"):
        providers.load_master(tmp_path / "worker")


# --- the token --------------------------------------------------------------------------------------------


def test_the_wrapping_key_never_leaves_the_token(softhsm, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    library = pkcs11.lib(softhsm.module)
    try:
        with library.get_token(token_label="veeamsec").open(user_pin=token.PIN) as session:
            key = session.get_key(label="veeamsec-worker")
            found = [key[one] for one in (pkcs11.Attribute.EXTRACTABLE, pkcs11.Attribute.NEVER_EXTRACTABLE)]
            with pytest.raises(pkcs11.AttributeSensitive):
                key[pkcs11.Attribute.VALUE]
    finally:
        library.finalize()
    assert found == [False, True]


def test_a_pin_that_others_can_read_is_refused(softhsm, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    softhsm.pin.chmod(0o640)
    with pytest.raises(KeysAway, match="open to its group"):
        providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")


def test_a_refused_pin_is_tried_once(softhsm, tmp_path, monkeypatch):  # noqa: F811
    """A token locks itself after a few."""
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    softhsm.pin.write_text("0000\n")
    with pytest.raises(KeysAway, match="refuses the PIN"):
        providers.load_master(tmp_path / "worker")
    with pytest.raises(KeysAway, match="refused the PIN"):
        providers.load_master(tmp_path / "worker")
    softhsm.pin.write_text(token.PIN)
    assert providers.load_master(tmp_path / "worker")
    hsm._refused.clear()


def test_a_pin_comes_as_a_credential_too(softhsm, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "pin").write_text(token.PIN)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    said = softhsm.address.partition("file:")[0] + "credential:pin"
    monkeypatch.setenv("VEEAMSEC_KEYS", said)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    assert providers.load_master(tmp_path / "worker")


def test_a_token_without_the_key_gives_none(softhsm, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address.replace("?", ";object=other?"))
    with pytest.raises(KeysAway, match="holds no key other"):
        providers.load_master(tmp_path / "worker")


# --- the key management server ----------------------------------------------------------------------------


def test_a_server_of_another_authority_gets_no_question(kmip, tmp_path, monkeypatch):  # noqa: F811
    other = kmip_peer.make(tmp_path / "other")
    said = kmip.address.replace(f"{kmip.folder}/ca.pem", f"{other.folder}/ca.pem")
    monkeypatch.setenv("VEEAMSEC_KEYS", said)
    with pytest.raises(KeysAway, match="certificate"):
        providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")


def test_a_client_without_its_certificate_gets_no_key(kmip, tmp_path, monkeypatch):  # noqa: F811
    other = kmip_peer.make(tmp_path / "other")
    said = kmip.address.replace(f"{kmip.folder}/client", f"{other.folder}/client")
    monkeypatch.setenv("VEEAMSEC_KEYS", said)
    with pytest.raises(KeysAway):
        providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")


def test_a_clients_key_that_others_can_read_is_refused(kmip, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VEEAMSEC_KEYS", kmip.address)
    (kmip.folder / "client.key").chmod(0o644)
    try:
        with pytest.raises(KeysAway, match="open to its group"):
            providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    finally:
        (kmip.folder / "client.key").chmod(0o600)


def test_a_key_travels_wrapped_alone(kmip, tmp_path, monkeypatch):  # noqa: F811
    """What `Get` brings is 40 bytes, and none of them are the key's."""
    monkeypatch.setenv("VEEAMSEC_KEYS", kmip.address)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    heard = bytearray()
    recv = ssl.SSLSocket.recv
    monkeypatch.setattr(ssl.SSLSocket, "recv", lambda *args: heard.extend(got := recv(*args)) or got)
    key = providers.load_master(tmp_path / "worker").key
    assert len(heard) > 100
    assert key not in heard


# --- systemd ----------------------------------------------------------------------------------------------


@pytest.fixture
def credentials(tmp_path, monkeypatch):
    """A unit's credentials, with both master keys."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    for process in ("worker", "enterprise"):
        text = f"veeamsec-master-1 {to_base64(process.encode().ljust(32))}\n"
        (folder / f"{process}-master.key").write_text(text)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("VEEAMSEC_KEYS", "systemd")
    return folder


def test_systemd_hands_the_key_over(credentials, tmp_path):
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    providers.make_enterprise_keys(tmp_path / "enterprise", tmp_path / "public")
    assert providers.load_master(tmp_path / "worker").key.startswith(b"worker")
    assert providers.load_master(tmp_path / "enterprise").key.startswith(b"enterprise")
    assert not (tmp_path / "worker" / "master.key").exists()


def test_a_unit_without_the_credential_has_no_key(credentials, tmp_path):
    (credentials / "worker-master.key").unlink()
    with pytest.raises(KeysAway, match="LoadCredentialEncrypted"):
        providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")


@pytest.mark.parametrize("name", ["../pin", "", "."])
def test_a_credential_is_a_name(credentials, name):
    with pytest.raises(KeysAway):
        sources.credential(name)
