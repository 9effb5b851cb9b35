"""A one-time link that is still good stands in no log."""

import io
import logging

import pytest

from accounts.models import EnrolmentLink, Role
from accounts.services import users
from audit import services as audit
from tests.accounts.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def output():
    """What the process writes."""
    [handler] = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    written = io.StringIO()
    former = handler.setStream(written)
    yield written
    handler.setStream(former)


def test_link_with_a_refused_password_is_not_logged(client, output):
    """The page answers 400, which Django tells its log with the path: and the link is still good."""
    user = make_user("odile", role=Role.OPERATOR)
    user.set_unusable_password()
    user.save()
    with audit.act(by=audit.CONSOLE, subject=user):
        link = users.make_link_within(user, EnrolmentLink.For.USER, by=audit.CONSOLE)
    token = link.rstrip("/").rpartition("/")[2]
    answer = client.post(f"/start/{token}/", {"username": "odile", "password": "short", "again": "short"})
    assert answer.status_code == 400
    assert EnrolmentLink.objects.get(user=user).used_at is None
    assert "/start/" in output.getvalue()
    assert token not in output.getvalue()
