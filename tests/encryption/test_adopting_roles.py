"""An adoption is asked for in the web's role of the database, and carried out in the worker's."""

import pytest
from django.db import ProgrammingError, transaction

from encryption.crypto.secret import Secret
from encryption.models import AdoptedJob, Job, RepositoryAdoption, RestorePoint, VeeamAdoption
from encryption.services import adopting, offering, placing
from tests.approvals.veeam.test_roles_veeam import role
from tests.encryption.adopted import adopt, forget
from tests.encryption.conftest import FIRST

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(activated):
    activated.run()
    forget()
    return activated


def test_repository_is_adopted_and_its_password_proved_in_both_roles(lost):
    with role("web"):
        row = adopting.adopt(lost.repository.pk, by=lost.user)
    with role("worker"):
        adopting.run_adoption(row.pk)
    with role("web"):
        made = offering.offer(Job.objects.get().password_id, by=lost.user, typed=Secret(FIRST.encode()))
    with role("worker"):
        offering.prove(made.pk)
        placing.settle(lost.job.pk)
    made.refresh_from_db()
    assert made.state == VeeamAdoption.State.ADOPTED, made.said
    assert RestorePoint.objects.get().kind == "full"


@pytest.mark.parametrize("model", [RepositoryAdoption, AdoptedJob])
def test_web_does_not_say_what_was_found(lost, model):
    adopt(lost)
    field = {"points": 7} if model is RepositoryAdoption else {"proved_at": None}
    with pytest.raises(ProgrammingError), transaction.atomic(), role("web"):
        model.objects.update(**field)
