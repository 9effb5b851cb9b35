"""People, jobs and requests for the tests of this folder."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.db import connection

from accounts import roster as rosters
from accounts.models import Role, Roster, SecurityMember, User
from accounts.roster import Credential, Entry
from accounts.services.stepup import StepUp
from approvals.models import ApprovalRequest, Policy
from approvals.services import attesting, decisions, execution, requests
from audit import keys
from audit import services as audit
from encryption.models import Job, JobSession, Repository
from encryption.services import runs, steps
from tests.accounts import factories

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "Kranich-7-Zitrone-Harfe-Nebel"
CUSTODY = {"medium": "paper", "place": "bank safe", "offsite": True, "offline": True, "custodian": "Dora"}


@dataclass(frozen=True)
class People:
    """Everybody: who asks, who decides, and who does neither."""

    operator: User
    administrator: User
    dpo: User
    ciso: User
    third: User
    auditor: User
    service: User
    superuser: User
    second_account: User
    nobody: User


@pytest.fixture
def people(vsec_home: Any, transactional: None) -> People:
    """A house with everybody, who were all here long ago."""
    operator = factories.make_user("olga", role=Role.OPERATOR)
    administrator = factories.make_user("adam", role=Role.ADMINISTRATOR)
    dpo, ciso, third = factories.make_security(("dora", "carl", "tess"), since=LONG_AGO)
    everybody = People(
        operator=operator,
        administrator=administrator,
        dpo=dpo,
        ciso=ciso,
        third=third,
        auditor=factories.make_user("aude", role=Role.AUDITOR),
        service=factories.make_user("robot", role=Role.SERVICE, person=operator.person),
        superuser=factories.make_user("root", is_superuser=True, is_staff=True),
        second_account=factories.make_user("olga2", role=Role.ADMINISTRATOR, person=operator.person),
        nobody=factories.make_user("norbert"),
    )
    for user in (administrator, dpo, ciso, third, everybody.superuser, everybody.second_account):
        factories.add_totp(user)
    return everybody


@pytest.fixture
def transactional(request: pytest.FixtureRequest) -> None:
    """The database: rolled back after the test, or flushed where the test says that it commits."""
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    request.getfixturevalue("transactional_db" if commits else "db")


@pytest.fixture
def make_job(people: People, vsec_home: Any, tmp_path: Path) -> Callable[..., Job]:
    """A job with a source folder in the one repository."""
    place = vsec_home.path / "repositories" / "one"
    place.mkdir(parents=True, exist_ok=True)
    repository = Repository.objects.create(name="Hall", location=str(place))

    def make(name: str = "Files") -> Job:
        source = tmp_path / "sources" / name
        source.mkdir(parents=True, exist_ok=True)
        (source / "a.txt").write_text("alpha")
        return Job.objects.create(name=name, repository=repository, source=str(source))

    return make


@pytest.fixture
def job(make_job: Callable[..., Job]) -> Job:
    """A plain job."""
    return make_job()


def answers() -> list[dict[str, str]]:
    """An answer to each question of the policy."""
    questions = Policy.objects.order_by("-number").first().procedure_questions
    return [{"question": question, "answer": "As written in the plan."} for question in questions]


def wish(*jobs: Job, **fields: Any) -> dict[str, Any]:
    """The fields of an activation under a new password."""
    return {
        "reason": "The authority asks for it.",
        "jobs": [job.pk for job in jobs],
        "new_password": SECRET,
        "hint": "Hall 2026",
        "custody": [CUSTODY],
        "answers": answers(),
    } | fields


@pytest.fixture
def ask(people: People, job: Job) -> Callable[..., ApprovalRequest]:
    """Ask for an activation of the job, as the operator unless told otherwise."""

    def ask_it(*jobs: Job, by: User | None = None, via_token: bool = False, **fields: Any) -> ApprovalRequest:
        asker = by or people.operator
        return requests.ask(
            "activate_encryption", by=asker, via_token=via_token, **wish(*(jobs or (job,)), **fields)
        )

    return ask_it


@pytest.fixture
def pending(ask: Callable[..., ApprovalRequest]) -> ApprovalRequest:
    """A pending request of the operator."""
    return ask()


def step_up(user: User, request: ApprovalRequest, verdict: str, comment: str = "") -> StepUp:
    """A real step-up by TOTP for one decision, with a code that counts as new."""
    begun = decisions.challenge(
        request.pk, by=user, verdict=verdict, digest=request.digest, comment=comment, interactive=True
    )
    return StepUp(nonce=begun["nonce"], totp=fresh_code(user))


def fresh_code(user: User) -> str:
    """A code that the user has not used yet."""
    User.objects.filter(pk=user.pk).update(totp_last_step=-1)
    key = base64.b32decode(factories.TOTP_SECRET)
    return HOTP(key, 6, SHA1()).generate(int(time.time()) // 30).decode()


def approve(user: User, request: ApprovalRequest, comment: str = "") -> ApprovalRequest:
    """Approve in full: challenge, TOTP, decision."""
    return decisions.approve(
        request.pk,
        by=user,
        digest=request.digest,
        step_up=step_up(user, request, "approve", comment),
        comment=comment,
        interactive=True,
    )


def reject(user: User, request: ApprovalRequest, comment: str = "Not now.") -> ApprovalRequest:
    """Reject in full."""
    return decisions.reject(
        request.pk,
        by=user,
        digest=request.digest,
        step_up=step_up(user, request, "reject", comment),
        comment=comment,
        interactive=True,
    )


def new_policy(**fields: Any) -> Policy:
    """A stricter or laxer policy, in force from now on."""
    former = Policy.objects.order_by("-number").first()
    kept = {
        "procedure_text": former.procedure_text,
        "procedure_questions": former.procedure_questions,
    }
    return Policy.objects.create(scope=None, number=former.number + 1, **(kept | fields))


def later(**delta: float) -> datetime:
    """A moment from now."""
    return datetime.now(UTC) + timedelta(**delta)


@pytest.fixture
def roster(people: People) -> None:
    """The signed roster 1 with everybody who decides."""
    sign_roster(people)


def sign_roster(
    people: People,
    credentials: dict[User, tuple[Credential, ...]] | None = None,
    without: User | None = None,
) -> Roster:
    """Sign the first roster by hand, with the passkeys given."""
    passkeys = credentials or {}

    def entry(user: User, title: str | None = None) -> Entry:
        return Entry(user.pk, user.person_id, LONG_AGO, passkeys.get(user, ()), title)

    body = rosters.RosterBody(
        number=1,
        time=LONG_AGO,
        security=tuple(
            entry(user, title)
            for user, title in ((people.dpo, "dpo"), (people.ciso, "ciso"), (people.third, "other"))
            if user != without
        ),
        administrators=tuple(entry(user) for user in (people.administrator, people.second_account)),
    )
    payload = rosters.build(body)
    envelope = rosters.sign(payload, keys.signing_key(), keys.signing_keyid())
    return Roster.objects.create(number=1, body=payload, envelope=envelope)


def work(request: ApprovalRequest) -> ApprovalRequest:
    """Do what the worker would do for an approved request, to its end."""
    execution.execute(request.pk)
    request.refresh_from_db()
    if request.rekey is not None:
        for step in request.rekey.steps.all():
            steps.run_step(step.pk)
        attesting.rekey_ended(request.rekey_id)
        request.refresh_from_db()
    return request


def run(job: Job) -> JobSession:
    """Run a job once, as a worker does."""
    with audit.act(by=audit.WORKER, subject=job):
        session = runs.queue_within(Job.objects.get(pk=job.pk), by=None)
    from encryption.services import backups

    backups.run_backup(session.pk)
    session.refresh_from_db()
    return session


def suspend(*users: User) -> None:
    """Suspend seats, past the suspensions that they follow."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        SecurityMember.objects.filter(user__in=users).update(suspended_at=datetime.now(UTC))
        cursor.execute("SET session_replication_role = origin")
