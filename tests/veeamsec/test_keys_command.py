"""`keys`: says who keeps the master keys, and moves them."""

import io

import pytest
from django.core.management import CommandError, call_command

from encryption.crypto import providers
from tests.guards.fixtures import softhsm  # noqa: F401


@pytest.fixture
def house(vsec_home, settings):
    """Keys of both workers in files."""
    settings.ENTERPRISE_KEYS = vsec_home.keys / "enterprise"
    providers.make_enterprise_keys(settings.ENTERPRISE_KEYS, settings.PUBLIC_KEYS)
    return vsec_home


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("keys", *words, stdout=out)
    return out.getvalue()


def test_the_status_names_every_key(house):
    assert said("status") == "worker: kept by files, and given\nenterprise: kept by files, and given\n"


def test_a_process_sees_its_own_key_alone(house, settings):
    settings.VEEAMSEC_PROCESS = "enterprise"
    assert said("status") == "enterprise: kept by files, and given\n"


def test_both_keys_move(house, softhsm, monkeypatch):  # noqa: F811
    keys = [providers.load_master(house.keys / process) for process in ("worker", "enterprise")]
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    with pytest.raises(CommandError, match="keys move"):
        said("status")
    assert said("move", "--from", "files") == "worker: kept by pkcs11 now\nenterprise: kept by pkcs11 now\n"
    assert said("move", "--from", "files").count("already") == 2
    assert [providers.load_master(house.keys / process) for process in ("worker", "enterprise")] == keys


def test_a_move_to_where_it_is_is_refused(house):
    with pytest.raises(CommandError, match="should leave"):
        said("move", "--from", "files")


def test_what_is_said_holds_no_key(house, softhsm, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    softhsm.away()
    with pytest.raises(CommandError) as refused:
        said("move", "--from", "files")
    text = (house.keys / "worker" / "master.key").read_text().split()[1]
    assert text not in str(refused.value)
