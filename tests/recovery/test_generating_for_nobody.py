"""A password that the worker makes and nobody is shown: only where an exported keyset makes up for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import statement as statements
from approvals.errors import Invalid
from encryption.models import PasswordVersion, RestorePoint
from recovery.models import CustodyRecord, Keyset, Release
from tests.approvals.conftest import approve, work
from tests.approvals.executing import change, forge, stale
from tests.recovery.test_generating import made, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def exported(enterprise, keyset) -> Keyset:
    """A keyset in force whose private half was exported."""
    Keyset.objects.filter(pk=keyset.pk).update(exported_at=timezone.now())
    return keyset


def nobody(people) -> dict[str, object]:
    return made(people, custodian=None, custody=[])


def test_shown_to_nobody_needs_an_exported_keyset(people, roster, ask):
    refused(people, ask, "needs a custodian, or a keyset", custodian=None, custody=[])


def test_a_keyset_that_was_never_exported_does_not_do(people, keyset, ask):
    refused(people, ask, "needs a custodian, or a keyset", custodian=None, custody=[])


def test_shown_to_nobody_states_no_copy(people, exported, ask):
    refused(people, ask, "Shown to nobody", custodian=None)


def test_shown_to_nobody_is_handed_to_nobody(people, exported, ask):
    request = work(approve(people.dpo, ask(**nobody(people))))
    assert request.state == "executed", request.outcome
    assert statements.parse(bytes(request.statement)).change["keyset"] == str(exported.pk)
    assert PasswordVersion.objects.get().known_to == []
    assert not Release.objects.exists()
    assert not CustodyRecord.objects.exists()


def test_another_keyset_meanwhile_makes_it_stale(people, exported, ask):
    request = approve(people.dpo, ask(**nobody(people)))
    Keyset.objects.filter(pk=exported.pk).update(exported_at=None)
    assert "needs a custodian, or a keyset" in stale(request)


def test_points_outside_the_keyset_refuse_it(people, exported, encrypted):
    for point in RestorePoint.objects.filter(job=encrypted):
        forge("encryption_restorepoint", point.pk, created_at=timezone.now() - timedelta(days=2))
    with pytest.raises(Invalid, match="Not every restore point"):
        change(people, encrypted.password_id, **nobody(people))
