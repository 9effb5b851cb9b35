"""Checks about this installation: as it is run by one user in clear, and as production runs it."""

from dataclasses import replace

import pytest
from django.utils import timezone

from compliance.checks import CHECKS, Facts, Status
from compliance.services.gathering import installation

pytestmark = pytest.mark.django_db


def found(code: str, facts: Facts) -> Status:
    return CHECKS[code].find(facts).status


@pytest.fixture
def seen(people, clock):
    """What is seen of the house of the tests."""
    return Facts(now=timezone.now(), installation=installation.look())


CODES = (
    "installation.keys",
    "installation.users",
    "installation.tls",
    "installation.settings",
    "log.outside",
)


def test_one_user_with_files_in_clear_falls_short(seen):
    assert {found(code, seen) for code in CODES} == {Status.NOT_IMPLEMENTED}


def test_what_was_not_looked_at_is_not_detected(seen):
    assert {found(code, replace(seen, installation=None)) for code in CODES} == {Status.UNABLE}


def test_as_production_runs_it_passes(seen, settings, monkeypatch):
    monkeypatch.setenv("VEEAMSEC_KEYS", "kmip://kms.example.com/veeamsec")
    settings.VEEAMSEC_PRODUCTION, settings.VEEAMSEC_ORIGIN = True, "https://veeamsec.example.com"
    for name in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"):
        setattr(settings, name, 1)
    looked = replace(installation.look(), parted=True, checkpoint_at=seen.now, checkpoint_on="nfs4")
    assert {code: found(code, replace(seen, installation=looked)) for code in CODES} == dict.fromkeys(
        CODES, Status.PASSED
    )


def test_mail_in_clear_to_another_machine_is_named(seen, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "mail.example.com", False, False
    assert "Mail is handed to its server without TLS." in installation.look().in_clear
