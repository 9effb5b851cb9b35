"""The enterprise worker's master key is rotated: private halves of keysets, which are files."""

import io
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from encryption.crypto import providers
from encryption.crypto.providers import rotating as files
from encryption.models import MasterRotation
from encryption.services.rotating import rotate
from recovery.services import private
from tests.faults.launcher import Fault, killed

HALVES = {UUID(int=number): f"half {number}".encode().ljust(32) for number in range(1, 5)}


@pytest.fixture
def folder(vsec_home, settings):
    """The enterprise worker's key folder with four private halves."""
    settings.ENTERPRISE_KEYS = vsec_home.keys / "enterprise"
    settings.VEEAMSEC_PROCESS = "enterprise"
    providers.make_enterprise_keys(settings.ENTERPRISE_KEYS, settings.PUBLIC_KEYS)
    for keyset, half in HALVES.items():
        private.keep(keyset, half)
    return settings.ENTERPRISE_KEYS


def turn() -> MasterRotation:
    return rotate(private.rest(), told=lambda text: None)


def halves() -> dict[UUID, bytes]:
    return {keyset: private.kept(keyset) for keyset in private._halves()}


@pytest.mark.django_db
def test_every_half_opens_under_the_new_key(folder):
    former = providers.load_master(folder)
    out = io.StringIO()
    call_command("keys", "rotate", stdout=out)
    assert halves() == HALVES
    assert (private.rest().count(former.mark), files.is_unfinished(folder)) == (0, False)
    assert "enterprise: 4 private halves sealed anew" in out.getvalue()


@pytest.mark.django_db
def test_halves_under_both_keys_open(folder):
    files.prepare(folder)
    files.switch(folder)
    private.keep(UUID(int=9), b"nine")
    assert halves() == HALVES | {UUID(int=9): b"nine"}


@pytest.mark.django_db
def test_a_deleted_keyset_does_not_come_back(folder):
    """Its half goes after it was listed for the rotation and before its turn."""

    def told(text: str) -> None:
        if "1 private halves" in text:
            private.forget(UUID(int=3))

    rotate(private.rest(), told=told)
    assert set(halves()) == set(HALVES) - {UUID(int=3)}


@pytest.mark.django_db
def test_p11_an_altered_half_keeps_the_former_key(folder):
    """P11: one byte was turned; nothing is destroyed that could open again from a backup."""
    path = folder / "keysets" / f"{UUID(int=2)}.key"
    text = path.read_bytes()
    path.write_bytes(text[:-1] + bytes([text[-1] ^ 1]))
    with pytest.raises(CommandError, match=f"the private half {UUID(int=2)}"):
        call_command("keys", "rotate", stdout=io.StringIO())
    assert files.load_former(folder) is not None
    path.write_bytes(text)
    turn()
    assert halves() == HALVES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["fsync", "rename", "link", "commit"])
def test_p11_killed_at_every_call_of_a_place(folder, place):
    """P11: each call in turn; after each all halves open, and the next rotation ends it."""
    number = 0
    while killed(turn, Fault(place, number + 1)):
        number += 1
        assert halves() == HALVES
        turn()
        assert halves() == HALVES
        assert not files.is_unfinished(folder)
        assert not MasterRotation.objects.filter(destroyed_at=None).exists()
    assert number >= 3
