"""Keys of a process: made once, closed to others, refused when open."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from encryption.crypto import providers
from encryption.crypto.seal import open_intake, seal_intake
from encryption.errors import KeyMaterialError


@pytest.fixture
def made(tmp_path):
    worker, public = tmp_path / "worker", tmp_path / "public"
    providers.make_worker_keys(worker, public)
    return worker, public


def test_private_files_are_closed(made):
    assert {path.stat().st_mode & 0o777 for path in made[0].iterdir()} == {0o600}


def test_private_folder_is_closed(made):
    assert made[0].stat().st_mode & 0o777 == 0o700


def test_the_public_folder_holds_public_halves_alone(made):
    assert sorted(path.name for path in made[1].iterdir()) == ["intake.pub", "signing.pub"]


def test_what_is_sealed_to_the_public_half_opens(made):
    sealed = seal_intake(providers.load_intake_public(made[1]), b"x", b"i")
    assert open_intake(providers.load_intake_private(made[0]), sealed, b"i") == b"x"


def test_what_the_worker_signs_verifies(made):
    signature = providers.load_signing(made[0]).sign(b"order")
    providers.load_signing_public(made[1]).verify(signature, b"order")


def test_a_second_start_keeps_the_keys(made):
    before = {path.name: path.read_bytes() for path in made[0].iterdir()}
    providers.make_worker_keys(*made)
    assert {path.name: path.read_bytes() for path in made[0].iterdir()} == before


def test_a_lost_public_half_is_written_anew(made):
    before = (made[1] / "intake.pub").read_bytes()
    (made[1] / "intake.pub").unlink()
    providers.make_worker_keys(*made)
    assert (made[1] / "intake.pub").read_bytes() == before


def test_a_foreign_public_half_is_refused(made, tmp_path):
    providers.make_worker_keys(tmp_path / "w2", tmp_path / "p2")
    (made[1] / "signing.pub").write_bytes((tmp_path / "p2" / "signing.pub").read_bytes())
    with pytest.raises(KeyMaterialError, match="another private key"):
        providers.make_worker_keys(*made)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_by_name(made, mode):
    (made[0] / "master.key").chmod(mode)
    with pytest.raises(KeyMaterialError, match=r"master\.key is open to its group"):
        providers.load_master(made[0])


def test_a_folder_that_others_can_enter_is_refused(made):
    made[0].chmod(0o750)
    with pytest.raises(KeyMaterialError, match="worker is open"):
        providers.make_worker_keys(*made)


def test_a_link_in_place_of_a_key_is_refused(made):
    (made[0] / "signing.key").rename(made[0] / "other.key")
    (made[0] / "signing.key").symlink_to("other.key")
    with pytest.raises(KeyMaterialError):
        providers.load_signing(made[0])


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("master.key", providers.load_master),
        ("signing.key", providers.load_signing),
        ("intake.key", providers.load_intake_private),
    ],
)
def test_a_damaged_or_missing_key_is_refused(made, name, load):
    (made[0] / name).write_bytes(b"veeamsec-master-1 short\n")
    with pytest.raises(KeyMaterialError, match=name):
        load(made[0])
    (made[0] / name).unlink()
    with pytest.raises(KeyMaterialError, match=name):
        load(made[0])


def test_keys_of_the_wrong_kind_are_refused(made):
    (made[0] / "intake.key").write_bytes((made[0] / "signing.key").read_bytes())
    with pytest.raises(KeyMaterialError, match="no key that secrets are sealed to"):
        providers.load_intake_private(made[0])


def test_fips_makes_a_p256_intake_key(tmp_path):
    providers.make_worker_keys(tmp_path / "w", tmp_path / "p", fips=True)
    assert isinstance(providers.load_intake_public(tmp_path / "p"), EllipticCurvePublicKey)


def test_the_enterprise_has_keys_of_its_own(tmp_path):
    providers.make_enterprise_keys(tmp_path / "enterprise", tmp_path / "public")
    made = providers.load_enterprise(tmp_path / "enterprise").public_key().public_bytes_raw()
    providers.make_enterprise_keys(tmp_path / "enterprise", tmp_path / "public")
    assert providers.load_enterprise(tmp_path / "enterprise").public_key().public_bytes_raw() == made


def test_a_backup_server_signs_with_a_key_of_its_own(made):
    server = providers.load_server(made[0]).public_key().public_bytes_raw()
    assert server != providers.load_signing(made[0]).public_key().public_bytes_raw()
    assert providers.load_server_seal(made[0]) is not None
