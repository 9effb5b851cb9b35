"""What changes behind our back is found, alarmed, takes the sign away, and closes when it is undone."""

import shutil
import uuid

import pytest

from audit.models import Alarm, Entry
from encryption import selectors
from encryption.crypto import kdf
from encryption.engines.native import rekey as native
from encryption.models import Drift
from encryption.services import drift, vault
from tests.encryption.conftest import SECOND

pytestmark = pytest.mark.django_db


def foreign_rekey(bench) -> None:
    """Change the password with the engine alone, as an administrator with the password could."""
    parameters = kdf.new_parameters()
    old = vault.root_of(selectors.current_version(bench.job.pk))
    native.rekey(
        bench.folder, old_root=old, new_root=b"x" * 32, new_user_key=uuid.uuid4(), new_kdf=parameters
    )


def test_nothing_changed_is_no_drift(activated):
    activated.run()
    assert drift.observe(activated.job.pk) == []


def test_plain_job_is_no_drift(bench):
    bench.run()
    assert drift.observe(bench.job.pk) == []


def test_observation_is_noted(activated):
    drift.observe(activated.job.pk)
    before = activated.job.observed_at
    activated.job.refresh_from_db()
    assert activated.job.observed_at > before


@pytest.mark.alarm("drift")
def test_change_behind_our_back_is_found_and_undone(activated):
    """P10: a change that no executed request explains opens a drift; undone, it closes."""
    activated.run()
    shutil.copy2(activated.folder / "keyring", activated.folder.parent / "kept")
    foreign_rekey(activated)
    assert drift.observe(activated.job.pk) == ["keyring.changed"]
    assert Alarm.objects.get(kind="drift").state == "raised"
    assert Entry.objects.filter(event="drift.found").count() == 1
    shutil.copy2(activated.folder.parent / "kept", activated.folder / "keyring")
    assert drift.observe(activated.job.pk) == []
    assert Alarm.objects.get(kind="drift").state == "resolved"
    assert Entry.objects.filter(event="drift.closed").count() == 1


def test_drift_is_found_once(activated):
    foreign_rekey(activated)
    drift.observe(activated.job.pk)
    drift.observe(activated.job.pk)
    assert Drift.objects.count() == 1


def test_missing_keyring_is_found(activated):
    (activated.folder / "keyring").unlink()
    assert drift.observe(activated.job.pk) == ["keyring.missing"]


def test_keyring_of_others_is_found(bench):
    root, key = b"y" * 32, uuid.uuid4()
    native.activate(bench.folder, root=root, user_key=key, parameters=kdf.new_parameters())
    assert drift.observe(bench.job.pk) == ["keyring.unknown"]


def test_line_that_does_not_open_is_found(activated):
    activated.run()
    with (activated.folder / "keyring").open("ab") as file:
        file.write(b"{}\n{}\n")
    assert drift.observe(activated.job.pk) == ["keyring.damaged"]


def test_missing_restore_point_is_found(activated):
    point = activated.run()
    (activated.folder / f"{point.pk}.vsb").unlink()
    assert drift.observe(activated.job.pk) == ["points.missing"]


def test_restore_point_of_others_is_found(activated):
    point = activated.run()
    shutil.copy2(activated.folder / f"{point.pk}.vsb", activated.folder / f"{uuid.uuid4()}.vsb")
    assert drift.observe(activated.job.pk) == ["points.unknown"]


@pytest.mark.alarm("unobserved")
def test_repository_away_is_no_drift_but_an_alarm(activated):
    place = activated.folder.parent
    place.rename(place.with_name("elsewhere"))
    assert drift.observe(activated.job.pk) == []
    assert Alarm.objects.get(kind="unobserved").state == "raised"
    place.with_name("elsewhere").rename(place)
    assert drift.observe(activated.job.pk) == []


def test_rekey_under_way_is_no_drift(activated):
    activated.order("change", SECOND)
    assert drift.observe(activated.job.pk) == []


def test_all_jobs_are_observed(activated, job_maker):
    other = job_maker("Other")
    drift.observe_all()
    other.refresh_from_db()
    assert other.observed_at is not None
