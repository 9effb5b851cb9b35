"""P9: a password that was asked, approved and applied is looked for everywhere, and found nowhere."""

import base64
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.db import connection

from accounts.models import Role
from approvals import selectors
from approvals.errors import Invalid
from approvals.models import State
from approvals.services import notify, requests
from encryption.errors import PasswordRefused
from encryption.models import EncryptionPassword
from tests.accounts import factories
from tests.approvals.conftest import answers, approve, sign_roster, wish, work
from tests.approvals.executing import change

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "Kanarienvogel-Zwiebel-88-Turm"
SECOND = "Wellensittich-Rübe-41-Kirche"
FORMS = [
    form
    for word in (CANARY, SECOND)
    for form in (
        word.encode(),
        word.encode().hex().encode(),
        base64.b64encode(word.encode()),
        word.encode("unicode_escape"),
        word.encode("utf-16-le"),
    )
]


def everything_stored() -> bytes:
    """All rows of all tables as text, with binary columns as their bytes."""
    found = b""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                found += b"|".join(
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    for value in row
                )
    return found


def everything_queued(settings: Any) -> bytes:
    """All that the broker and the cache hold."""
    found = b""
    address = settings.CACHES["default"]["LOCATION"]
    for place in (address, re.sub(r"db=\d+", "db=0", address)):
        client = redis.Redis.from_url(place)
        for key in client.scan_iter():
            kind = client.type(key)
            found += key
            if kind == b"string":
                found += client.get(key) or b""
            elif kind == b"list":
                found += b"".join(client.lrange(key, 0, -1))
            elif kind == b"hash":
                found += b"".join(value for pair in client.hgetall(key).items() for value in pair)
        client.close()
    return found


def everything_filed(home: Path) -> bytes:
    """All files under the home: keys, checkpoints, keyrings, backups, mails."""
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_p9_a_password_is_found_nowhere(people, job, settings, vsec_home, caplog, mailoutbox):
    """P9"""
    caplog.set_level(logging.DEBUG)
    sign_roster(people)
    request = requests.ask("activate_encryption", by=people.operator, **wish(job, new_password=CANARY))
    notify.notify(request.pk)
    approve(people.dpo, request)
    assert everything_queued(settings)
    request = work(request)
    assert request.state == State.EXECUTED, request.outcome
    password = EncryptionPassword.objects.get()
    changed = work(approve(people.ciso, change(people, password.pk, new_password=SECOND)))
    assert changed.state == State.EXECUTED, changed.outcome
    evidence = str(selectors.evidence(changed)).encode()
    places = {
        "the database": everything_stored(),
        "broker and cache": everything_queued(settings),
        "files": everything_filed(vsec_home.path),
        "the log": caplog.text.encode(),
        "mails": b"".join(mail.message().as_bytes() for mail in mailoutbox),
        "evidence": evidence,
    }
    found = {place for place, data in places.items() for form in FORMS if form in data}
    assert found == set()


def test_p9_a_refused_question_does_not_tell_its_password(people, job, caplog):
    """P9"""
    with pytest.raises(Invalid) as caught:
        requests.ask("activate_encryption", by=people.operator, **wish(job, new_password=CANARY, jobs=[]))
    assert CANARY not in str(caught.value) + caplog.text
    assert CANARY.encode() not in everything_stored()


def test_p9_a_refusal_of_a_weak_password_is_logged_without_it(people, job):
    """P9"""
    weak = "Passwort1234"
    with pytest.raises(PasswordRefused, match="guess"):
        requests.ask("activate_encryption", by=people.operator, **wish(job, new_password=weak))
    assert weak.encode() not in everything_stored()


def test_the_search_would_find_it(people):
    """That the nets have no holes: the same words, stored where they do no harm."""
    factories.make_user("vogel", role=Role.OPERATOR, email=f"{CANARY}@example.com")
    cache.set("canary", CANARY)
    assert CANARY.encode() in everything_stored()
    assert answers()
