"""Under FIPS, from the first backup to the last restore: PBKDF2, AES-GCM, RSA and P-256 alone."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.hpke import KEM

from encryption.crypto import fips, kdf, keysets, providers, seal
from encryption.crypto.providers import pairs
from encryption.crypto.secret import Secret
from encryption.errors import NotApproved, SealBroken
from encryption.models import JobSession, PasswordVersion, RestorePoint
from encryption.services import backups, runs, vault
from recovery.documents import exchange
from recovery.models import BackupServer, Keyset, RecoveryCase
from recovery.services import answers, cases, servers
from recovery.services import keysets as life
from tests.approvals.conftest import answers as answered_questions
from tests.approvals.conftest import approve, run, work
from tests.recovery.conftest import obeyed

ROOT = Path(__file__).resolve().parents[2]
NEW = "Fischreiher-9-Anker-Wolke-Mohn"


class Forbidden:
    """Stands where a name of X25519 or ML-KEM was imported; whoever makes a key of it fails."""

    @classmethod
    def _refuse(cls, *_given: object, **_named: object) -> None:
        raise AssertionError("FIPS does not approve this")

    __init__ = generate = from_private_bytes = from_public_bytes = from_seed_bytes = _refuse  # type: ignore[assignment]


@pytest.fixture
def enforced(settings):
    """This process under FIPS; what it does not approve is taken away where the product imports it."""
    settings.VEEAMSEC_FIPS = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    fips.enforce(True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kdf, "_Argon2id", Forbidden)
        for module in (pairs, keysets, seal, exchange, answers):
            for name in ("X25519PrivateKey", "X25519PublicKey", "MLKEM768PrivateKey", "MLKEM768PublicKey"):
                if hasattr(module, name):
                    patch.setattr(module, name, Forbidden)
        only = SimpleNamespace(P256=KEM.P256)
        patch.setattr(seal, "KEM", only)
        patch.setattr(exchange, "KEM", only)
        patch.setattr(keysets, "_HPKE", Forbidden)
        yield
    fips.enforce(False)


@pytest.mark.django_db
def test_the_whole_story_needs_nothing_that_fips_does_not_approve(
    enforced, people, enterprise, decided, ask, job, vsec_home, settings
):
    """Set, backed up, re-keyed, lost, recovered, restored, equal by hash."""
    from approvals.services import requests

    wished = life.generate(by=enterprise, suite=keysets.RSA, description="Winter")
    obeyed()
    decided("activate_keyset", keyset=wished.pk)
    asked = ask()
    approve(people.dpo, asked)
    assert work(asked).state == "executed"
    source = Path(job.source)
    (source / "data.bin").write_bytes(os.urandom(300_000))
    assert run(job).state == JobSession.State.SUCCEEDED
    version = PasswordVersion.objects.get()
    changed = requests.ask(
        "change_password",
        by=people.operator,
        reason="Yearly.",
        encryption_password=version.password_id,
        new_password=NEW,
        scope="keys",
        custody=[{"medium": "paper", "place": "safe", "offsite": True, "offline": True, "custodian": "Dora"}],
        answers=answered_questions(),
    )
    approve(people.dpo, changed)
    assert work(changed).state == "executed"
    assert run(job).state == JobSession.State.SUCCEEDED

    lose_every_password(settings)
    case = recovered(people, enterprise, decided, job)
    for number, point in enumerate(RestorePoint.objects.filter(job=job)):
        to = vsec_home.path / "restores" / str(number)
        session = runs.start_restore(point.pk, to=str(to), case=case.case, by=people.operator)
        backups.run_restore(session.pk)
        session.refresh_from_db()
        assert session.state == JobSession.State.SUCCEEDED, session.error
        assert _digests(to) == _digests(source)

    folder = Path(job.repository.location) / str(job.pk)
    head = json.loads((folder / "keyring").read_bytes().split(b"\n", 1)[0])
    assert head["kdf"]["name"] == "pbkdf2-hmac-sha256"
    assert BackupServer.objects.get(own=True).kem == "p256"


def lose_every_password(settings) -> None:
    """The worker's master key goes: no value and no root that rests here opens any more."""
    (settings.WORKER_KEYS / providers.MASTER).unlink()
    providers.make_master(settings.WORKER_KEYS)
    for version in PasswordVersion.objects.all():
        with pytest.raises(SealBroken):
            vault.root_of(version)


def recovered(people, enterprise, decided, job) -> RecoveryCase:
    """The eight steps, to a case whose keys are opened."""
    case = cases.ask([job.pk], by=people.operator, reason="Nobody knows it.", number="INC-1")
    cases.make_request(case.pk)
    case.refresh_from_db()
    received = answers.receive(cases.text_of(case), by=enterprise, number="C-1")
    decided("recover_key", case=received.pk)
    received.refresh_from_db()
    cases.offer_response(case.pk, answers.text_of(received), by=people.operator)
    cases.open_response(case.pk)
    return case


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.fixture
def under_fips():
    """This process under FIPS, with what was made before still there."""
    fips.enforce(True)
    yield
    fips.enforce(False)


def test_a_password_that_needs_argon2id_is_not_derived(under_fips):
    with pytest.raises(NotApproved, match="Argon2id"):
        kdf.derive_root(Secret(b"password"), kdf.Argon2id(salt=b"s" * 16))


def test_keys_of_before_are_refused_at_setup(tmp_path):
    providers.make_worker_keys(tmp_path / "w", tmp_path / "p")
    fips.enforce(True)
    try:
        with pytest.raises(NotApproved, match="P-256"):
            providers.make_worker_keys(tmp_path / "w", tmp_path / "p", fips=True)
    finally:
        fips.enforce(False)


def test_x_wing_is_neither_made_nor_opened_nor_wrapped_for(tmp_path):
    pair = keysets.generate(keysets.X_WING)
    fips.enforce(True)
    try:
        for use in (
            lambda: keysets.generate(keysets.X_WING),
            lambda: keysets.opener(pair.suite, pair.private),
            lambda: keysets.wrapper(pair.suite, pair.public),
        ):
            with pytest.raises(NotApproved, match="rsa-4096"):
                use()
    finally:
        fips.enforce(False)


@pytest.mark.django_db
def test_an_x_wing_keyset_is_not_wished_for(enterprise, under_fips):
    with pytest.raises(NotApproved):
        life.generate(by=enterprise, suite=keysets.X_WING, description="Winter")


@pytest.mark.django_db
def test_an_x_wing_keyset_of_before_is_not_activated(enterprise, decided):
    from approvals.services import requests

    wished = life.generate(by=enterprise, suite=keysets.X_WING, description="Winter")
    obeyed()
    fips.enforce(True)
    try:
        with pytest.raises(NotApproved):
            requests.ask("activate_keyset", by=enterprise, reason="Plan.", keyset=wished.pk)
    finally:
        fips.enforce(False)
    assert Keyset.objects.get().state == Keyset.State.INACTIVE


@pytest.mark.django_db
def test_a_server_that_seals_to_x25519_is_not_taken(enterprise, under_fips):
    own = BackupServer.objects.get(own=True)
    from recovery.services import identity

    with pytest.raises(NotApproved, match="X25519"):
        servers.offer(identity.text_of(own), by=enterprise)


def test_the_environment_switches_it_on():
    """VEEAMSEC_FIPS=1 is all that it takes, for people's own passwords too."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup()\n"
            "from django.contrib.auth.hashers import make_password\n"
            "from encryption.crypto import fips\n"
            "print(fips.is_in_force(), make_password('x').split('$')[0])",
        ],
        cwd=ROOT,
        env=os.environ | {"VEEAMSEC_FIPS": "1", "DJANGO_SETTINGS_MODULE": "veeamsec.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["True", "pbkdf2_sha256"]
