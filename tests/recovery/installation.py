"""One whole installation as a process of its own: `python -m tests.recovery.installation`.

VEEAMSEC_HOME and DATABASE_URL name its home and its database; it starts a cache and broker of its own. It
reads one act a line and answers with one line; between acts it works off its outbox, as workers do. What
people do runs in the database role of the web, what workers do in theirs.
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection

PEOPLE = {"dora": "security", "carl": "security", "adam": "administrator", "olivia": "operator"}
# One that nobody ends goes by itself.
LONGEST_SECONDS = 300
# What a person does, and what workers do, is done within these rights.
WEB, WORKER = "veeamsec_web", "veeamsec_worker"


@contextmanager
def role(name: str) -> Iterator[None]:
    """The rights of one process at the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {name}")
        yield
        cursor.execute("SELECT current_user")
        # A connection that was made anew meanwhile would have other rights.
        assert cursor.fetchone() == (name,)
        cursor.execute("RESET ROLE")


def work() -> None:
    """Do everything that waits, until nothing does."""
    from audit.queue import Task
    from tests.guards.waiting import deliver

    tasks = "SIGN_ROSTER EXECUTE ENTERPRISE REKEY_JOB REKEY_ENDED BACKUP RESTORE"
    tasks += " RECOVERY_REQUEST RECOVERY_RESPONSE"
    with role(WORKER):
        for _ in range(10):
            rows = deliver(*(Task[name] for name in tasks.split()))
            if not rows:
                return
    raise AssertionError([(row.name, row.error) for row in rows])


def user(name: str) -> Any:
    """An account by its name."""
    from accounts.models import User

    return User.objects.get(username=name)


def decided(kind: str, by: str = "carl", **given: Any) -> Any:
    """Ask as one founder, or as `by`, and approve as the other; let the workers do it."""
    from approvals.services import requests
    from tests.approvals.conftest import approve

    with role(WEB):
        request = requests.ask(kind, by=user(by), **{"reason": "As the plan says."} | given)
        approve(user("dora"), request)
    work()
    request.refresh_from_db()
    assert request.state == "executed", request.outcome
    return request


def begin(name: str) -> dict[str, Any]:
    """Keys, an identity, people, a sealed Security Role; returns the server's id and registration."""
    from accounts.services import bootstrap_file
    from encryption.crypto import providers
    from recovery.services import identity
    from tests.accounts.factories import TOTP_SECRET
    from veeamsec import servers
    from veeamsec.home import Home

    servers.start_valkey(Home(settings.VEEAMSEC_HOME))
    providers.make_enterprise_keys(settings.ENTERPRISE_KEYS, settings.PUBLIC_KEYS)
    providers.make_worker_keys(settings.WORKER_KEYS, settings.PUBLIC_KEYS)
    own = identity.publish_own(name)
    made = {"title": "dpo", "password": secrets.token_hex(12), "totp_secret": TOTP_SECRET}
    with role(WEB):
        bootstrap_file.load(
            {
                "people": [{"name": who, "email": f"{who}@example.org"} for who in PEOPLE],
                "users": [{"username": who, "person": who, "role": PEOPLE[who], **made} for who in PEOPLE],
            }
        )
    work()
    return {"server": str(own.pk), "text": identity.text_of(own)}


def make_keyset(suite: str) -> dict[str, Any]:
    """A keyset in force, and its announcement."""
    from recovery.models import Keyset
    from recovery.services import keysets

    with role(WEB):
        made = keysets.generate(by=user("carl"), suite=suite, description="Head office")
    work()
    decided("activate_keyset", keyset=made.pk)
    return {"text": keysets.announcement_text(Keyset.objects.get(state="active"))}


def take_keyset(text: str) -> dict[str, Any]:
    """Another installation's keyset."""
    decided("take_keyset", text=text)
    return {}


def register(text: str) -> dict[str, Any]:
    """Another installation's server."""
    from recovery.services import servers

    with role(WEB):
        made = servers.offer(text, by=user("carl"))
    decided("register_server", server=made.pk)
    made.refresh_from_db()
    return {"state": made.state}


def back_up(source: str) -> dict[str, Any]:
    """Encrypt a job under a password that nobody will know, and run it."""
    from encryption.models import Job, Repository, RestorePoint
    from encryption.services import runs
    from tests.approvals.conftest import wish

    place = settings.VEEAMSEC_HOME / "repositories" / "one"
    place.mkdir()
    with role(WEB):
        repository = Repository.objects.create(name="Hall", location=str(place))
        job = Job.objects.create(name="Files", repository=repository, source=source)
    asked = wish(job, new_password=secrets.token_urlsafe(24))
    decided("activate_encryption", by="olivia", **asked)
    with role(WEB):
        runs.start_backup(job.pk, by=user("olivia"))
    work()
    return {"job": str(job.pk), "points": RestorePoint.objects.filter(job=job).count()}


def lose_the_password() -> dict[str, Any]:
    """Nobody knows it, and what the worker holds is scrambled; the source is gone as well."""
    from encryption.models import Job, PasswordVersion

    connection.cursor().execute("SET session_replication_role = replica")
    PasswordVersion.objects.update(sealed_password=os.urandom(80), sealed_root=os.urandom(80))
    connection.cursor().execute("SET session_replication_role = origin")
    shutil.rmtree(Job.objects.get().source)
    return {}


def ask_for_help() -> dict[str, Any]:
    """The request of a case, as a text."""
    from encryption.models import Job
    from recovery.services import cases

    with role(WEB):
        case = cases.ask([Job.objects.get().pk], by=user("olivia"), reason="Nobody knows it any more.")
    work()
    case.refresh_from_db()
    return {"text": cases.text_of(case)}


def answer(text: str) -> dict[str, Any]:
    """The answer to a request that was carried here, as a text."""
    from recovery.services import answers

    with role(WEB):
        case = answers.receive(text, by=user("carl"), number="CASE-1")
    decided("recover_key", case=case.pk)
    case.refresh_from_db()
    return {"text": answers.text_of(case)}


def open_answer(text: str) -> dict[str, Any]:
    """Open the keys of the one case."""
    from recovery.models import RecoveryCase
    from recovery.services import cases

    with role(WEB):
        cases.offer_response(RecoveryCase.objects.get().pk, text, by=user("olivia"))
    work()
    return {"state": RecoveryCase.objects.get().state}


def restore(with_case: bool) -> dict[str, Any]:
    """Restore the one point; returns the digests of what is there afterwards."""
    from encryption.models import RestorePoint
    from encryption.services import runs
    from recovery.models import RecoveryCase

    to = settings.VEEAMSEC_HOME / "restores" / secrets.token_hex(4)
    case = RecoveryCase.objects.get().case if with_case else None
    with role(WEB):
        session = runs.start_restore(RestorePoint.objects.get().pk, to=str(to), case=case, by=user("olivia"))
    work()
    session.refresh_from_db()
    return {"state": session.state, "files": digests(to)}


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


ACTS: tuple[Callable[..., dict[str, Any]], ...] = (
    begin,
    make_keyset,
    take_keyset,
    register,
    back_up,
    lose_the_password,
    ask_for_help,
    answer,
    open_answer,
    restore,
)


def main() -> None:
    """Do what is told, line by line, until there is no more."""
    signal.alarm(LONGEST_SECONDS)
    django.setup()
    acts = {act.__name__: act for act in ACTS}
    for line in sys.stdin:
        told = json.loads(line)
        sys.stdout.write(json.dumps(acts[told.pop("act")](**told)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
