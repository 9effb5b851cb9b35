"""P9: an encryption password rests nowhere in clear: no row, no message, no log, no file."""

import base64
import json
import logging
import shutil
import uuid
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import connection

from audit.models import Outbox
from encryption.crypto.secret import Secret
from encryption.errors import PasswordRefused, SealBroken
from encryption.models import PasswordVersion
from encryption.services import intake, rekeys, vault
from tests.encryption.conftest import FIRST, SECOND

pytestmark = pytest.mark.django_db


def spellings(text: str) -> list[str]:
    """The forms in which a value could stand somewhere."""
    return [
        text,
        text[::-1],
        quote(text, safe=""),
        text.encode().hex(),
        base64.b64encode(text.encode()).decode().rstrip("="),
        text.encode("utf-16-le").hex(),
    ]


def dump() -> str:
    """Every row of every table as text."""
    rows = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_no_row_holds_the_password(activated):
    """P9: not in the database, where the outbox holds every task's arguments too."""
    activated.run()
    activated.rekey("change", SECOND)
    text = dump()
    assert "violet" not in text
    assert [form for value in (FIRST, SECOND) for form in spellings(value) if form in text] == []


def test_message_is_a_name_and_a_uuid(activated):
    """P9: a task carries nothing but one uuid."""
    fields = {field.name for field in Outbox._meta.get_fields()}
    assert not fields & {"args", "payload", "body", "kwargs"}


def test_log_holds_nothing(activated, caplog):
    """P9: neither do log lines at any level."""
    with caplog.at_level(logging.DEBUG):
        activated.rekey("change", SECOND)
        activated.run()
    assert [form for form in spellings(SECOND) if form in caplog.text] == []


def test_repository_holds_nothing(activated):
    activated.run()
    content = b"".join(path.read_bytes() for path in activated.folder.iterdir())
    assert [form for form in spellings(FIRST) if form.encode() in content] == []


def test_sealed_secret_opens_for_its_owner_alone(vsec_home):
    """P9: the web seals; another request's sealed form is of no use."""
    owner = uuid.uuid4()
    sealed = intake.seal_for(owner, SECOND)
    assert SECOND.encode() not in sealed
    assert intake.open_for(owner, sealed).reveal() == SECOND.encode()
    with pytest.raises(SealBroken):
        intake.open_for(uuid.uuid4(), sealed)


def test_web_seals_without_any_private_key(vsec_home, settings):
    """P9: the web process cannot decrypt a pending password."""
    shutil.rmtree(settings.WORKER_KEYS)
    sealed = intake.seal_for(uuid.uuid4(), SECOND)
    with pytest.raises(Exception, match="cannot be read"):
        intake.open_for(uuid.uuid4(), sealed)


def test_sealed_value_of_another_row_does_not_open(activated):
    activated.rekey("change", SECOND)
    first, second = PasswordVersion.objects.order_by("number")
    second.sealed_password = first.sealed_password
    with pytest.raises(SealBroken):
        vault.password_of(second)


def test_refusal_does_not_repeat_the_password():
    with pytest.raises(PasswordRefused) as refused:
        intake.check_new("password1234")
    assert "password1234" not in refused.value.message


@pytest.mark.parametrize("text", ["violet\u0007kestrel-harbour", "x" * 2000, "short"])
def test_what_cannot_be_a_password_is_refused_as_it_is_typed(text):
    with pytest.raises(PasswordRefused):
        intake.check_new(text)


def test_names_do_not_make_a_strong_password():
    with pytest.raises(PasswordRefused):
        intake.check_new("ledgers-2026", hints=["Ledgers"])


def test_prepared_version_does_not_show_itself(activated):
    """P9: what is prepared can be printed by accident and says nothing."""
    wish = rekeys.Wish(
        "change", activated.password, "ab" * 32, {activated.job.pk: activated.head()}, activated.password
    )
    prepared = rekeys.prepare(wish, Secret(SECOND.encode()))
    assert SECOND not in repr(prepared) + json.dumps(prepared.envelope)
