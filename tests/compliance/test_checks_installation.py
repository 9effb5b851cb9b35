"""Checks about this installation: as it is run by one user in clear, and as production runs it."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit import services as audit
from audit.services import watching
from compliance.checks import CHECKS, Facts, Status
from compliance.services.gathering import installation
from encryption.crypto import providers
from tests.compliance.there import analyzed, texts
from tests.guards.fixtures import softhsm  # noqa: F401

pytestmark = pytest.mark.django_db
ANOTHER_DISK = Path("/dev/shm")


@pytest.fixture
def outside(settings) -> Iterator[Path]:
    """A folder on another disk, named as outside."""
    here = Path(tempfile.gettempdir()).stat().st_dev
    if not ANOTHER_DISK.is_dir() or ANOTHER_DISK.stat().st_dev == here:
        pytest.skip("this machine has one disk")
    with tempfile.TemporaryDirectory(dir=ANOTHER_DISK) as folder:
        settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = Path(folder)
        yield Path(folder)


@pytest.mark.finds(
    "not_implemented",
    "installation.keys",
    "installation.settings",
    "installation.tls",
    "installation.users",
    "log.outside",
)
def test_one_user_with_files_in_clear_falls_short(people):
    assert texts(analyzed(people)["installation.tls"]) == ["The pages are not under https."]


@pytest.mark.finds("passed", "installation.settings", "installation.tls")
def test_the_settings_of_production_pass(people, settings):
    settings.VEEAMSEC_PRODUCTION, settings.VEEAMSEC_ORIGIN = True, "https://veeamsec.example.com"
    for name in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"):
        setattr(settings, name, 1)
    assert analyzed(people)["installation.tls"].good == 4


def test_each_unsafe_setting_is_named(people, settings):
    settings.VEEAMSEC_PRODUCTION, settings.VEEAMSEC_DEMO, settings.ALLOWED_HOSTS = True, True, ["*"]
    told = texts(analyzed(people)["installation.settings"])
    assert {"Pages are served under any name.", "This is a demo: its passwords stand in a file."} < set(told)


def test_mail_in_clear_to_another_machine_is_named(people, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "mail.example.com", False, False
    assert "Mail is handed to its server without TLS." in texts(analyzed(people)["installation.tls"])


@pytest.mark.finds("passed", "installation.keys")
def test_a_master_key_in_a_security_module_passes(people, settings, vsec_home, softhsm, monkeypatch):  # noqa: F811
    settings.ENTERPRISE_KEYS = vsec_home.keys / "enterprise"
    providers.make_enterprise_keys(settings.ENTERPRISE_KEYS, settings.PUBLIC_KEYS)
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    call_command("keys", "move", "--from", "files")
    said = "The worker's master key is held by a security module."
    assert analyzed(people)["installation.keys"].summary == said


@pytest.mark.finds("passed", "installation.users")
def test_keys_of_another_user_pass(people, settings):
    if os.geteuid():
        pytest.skip("only root gives a folder to another user")
    settings.WEB_KEYS.mkdir(exist_ok=True)
    os.chown(settings.WEB_KEYS, 65534, 65534)
    assert analyzed(people)["installation.users"].good == 1


@pytest.mark.finds("unable_to_detect", "log.outside")
def test_checkpoints_on_this_machine_alone_say_nothing_of_elsewhere(people, settings):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = None
    assert analyzed(people)["log.outside"].summary == "No checkpoint was signed within a day."
    audit.sign_checkpoint()
    assert "cannot be seen" in analyzed(people)["log.outside"].summary


@pytest.mark.finds("passed", "log.outside")
def test_checkpoints_that_are_copied_outside_pass(people, outside):
    analyzed(people)
    audit.sign_checkpoint()
    told = analyzed(people)["log.outside"]
    assert texts(told) == ["The folder outside is away, full or on our own disk."]
    audit.sign_checkpoint()
    watching.copy_checkpoints()
    assert analyzed(people)["log.outside"].good == 1


def test_a_folder_outside_on_our_own_disk_is_none(people, settings):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = settings.VEEAMSEC_HOME / "elsewhere"
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE.mkdir()
    analyzed(people)
    audit.sign_checkpoint()
    assert watching.copy_checkpoints() == 0
    told = texts(analyzed(people)["log.outside"])
    assert told == ["The folder outside is away, full or on our own disk."]


def test_a_folder_that_is_mounted_from_another_machine_is_outside(people):
    """No test mounts one: what is read of mounts here, and what the check makes of it."""
    assert installation.file_system(Path("/proc/self")) == "proc"
    now = timezone.now()
    seen = replace(installation.look(), checkpoint_at=now, checkpoint_on="nfs4", outside_named=False)
    assert CHECKS["log.outside"].find(Facts(now, seen)).status == Status.PASSED
