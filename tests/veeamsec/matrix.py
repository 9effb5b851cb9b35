"""Who gets what where: each route replayed for each role, on what is theirs and on what is not.

docs/permissions.md holds the answers; the row's first cells say what is called.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import Role, SecurityMember, User
from accounts.services import users
from approvals.models import ApprovalRequest
from approvals.services import requests
from audit.models import Alarm
from encryption.models import Job, JobSession, JobUserObjectPermission, RestorePoint
from encryption.rules import JOB_VERBS
from tests.accounts import factories
from tests.approvals.conftest import CUSTODY, People, new_policy, wish
from tests.pages.conftest import as_user
from tests.pages.veeam_house import make_server
from tests.veeamsec import held

ROLES = (
    "nobody",
    "stranger",
    "operator",
    "service",
    "administrator",
    "enterprise",
    "security",
    "auditor",
    "superuser",
)
ASKING = ("operator", "service", "administrator", "security")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Signing in, one's own factors and sessions: the same for everybody, and tested where they live.
NOT_HERE = (
    "account/",
    "start/",
    "healthz",
    "readyz",
    "admin/jsi18n/",
    "admin/login/",
    "admin/logout/",
    "admin/r/",
    "admin/{url}",
)
# The same few routes for each table of the console.
CONSOLE = re.compile(r"admin/(?P<app>\w+)/(?P<model>\w+)/(?P<rest>.*)")


# Stands for the digest of the request that is called.
DIGEST = "{digest}"
# An account that there is not: who may ask is told 400, not 403.
READER = str(UUID(int=1))


@dataclass
class World:
    """The accounts, what there is, and what is whose."""

    accounts: dict[str, User]
    clients: dict[str, Client]
    job: Job
    foreign: ApprovalRequest
    own: dict[str, ApprovalRequest]
    ids: dict[str, str]
    # What each account holds, and under "" what somebody else does.
    held: dict[str, dict[str, str]]
    # All of them are named as custodians, and a proof is demanded.
    proving: ApprovalRequest
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)


def build(people: People, job: Job, make_job: Callable[..., Job], place: Any) -> World:
    """Everybody, with a request of each role that may ask, and one of somebody else."""
    enterprise = factories.make_user("erna", role=Role.ENTERPRISE, is_staff=True)
    factories.add_totp(enterprise)
    accounts = {
        "stranger": people.nobody,
        "operator": people.operator,
        "service": people.service,
        "administrator": people.administrator,
        "enterprise": enterprise,
        "security": people.dpo,
        "auditor": people.auditor,
        "superuser": people.superuser,
    }
    User.objects.filter(
        pk__in=[accounts[name].pk for name in ("operator", "administrator", "auditor")]
    ).update(is_staff=True)
    other = factories.make_user("otis", role=Role.OPERATOR)
    own = {name: _ask(accounts[name], make_job(f"Own {name}")) for name in ASKING}
    foreign, free = _ask(other, make_job("Foreign")), make_job("Free")
    held_by = {name: held.of(user, job) for name, user in (accounts | {"": other}).items()}
    proving = _proving(other, accounts, make_job("Proving"))
    world = World(accounts, _clients(accounts), job, foreign, own, _ids(job), held_by, proving)
    world.bodies = _bodies(free, place)
    return world


def answer(world: World, method: str, path: str, whose: str, role: str) -> str:
    """Return the status of one call as the table writes it; whatever it did is undone."""
    request = world.own.get(role) if whose == "own" else world.foreign
    if path.endswith("/{request}/prove/") and whose == "own":
        request = world.proving
    if "{request}" in path and request is None:
        return "–"
    ids = world.ids | world.held[role if whose == "own" and role in world.held else ""]
    url = path.format(**ids, request=request.pk if request else "", object_id=_row(path))
    body = world.bodies.get(f"{method} {path}", {})
    if request is not None:
        body = {name: request.digest if value == DIGEST else value for name, value in body.items()}
    # By hand: the use cases' durable transactions may stand in a test's own, and in no other.
    before = transaction.savepoint()
    if whose == "own" and role in world.accounts and "{request}" not in path:
        _name(world.accounts[role], world.job)
    options: dict[str, Any] = {"data": body, "content_type": "application/json"} if "/api/" in path else {}
    call = getattr(world.clients[role], method.lower())
    response = call(url, headers={"If-Match": "*"}, **(options if method != "GET" else {}))
    transaction.savepoint_rollback(before)
    return _told(response)


def _told(response: Any) -> str:
    location = response.headers.get("Location", "")
    signs_in = response.status_code == 302 and location.startswith(("/account/login/", "/admin/login/"))
    return "sign in" if signs_in else str(response.status_code)


def routes() -> Iterator[str]:
    """Every route of the map, as the table writes it."""
    for path in _routes(get_resolver().url_patterns, ""):
        if not path.startswith(NOT_HERE) and not path.endswith(("{object_id}/", "/history/")):
            yield f"/{path}"


def _routes(patterns: Any, prefix: str) -> Iterator[str]:
    for one in patterns:
        path = prefix + _written(one.pattern)
        if isinstance(one, URLPattern):
            yield path
        else:
            yield from _routes(one.url_patterns, path)


def _row(path: str) -> str:
    """The first row of a table of the console; where there is none, an id that nothing has."""
    found = CONSOLE.fullmatch(path.strip("/") + "/")
    if found is None or "{object_id}" not in path:
        return ""
    row = apps.get_model(found["app"], found["model"])._default_manager.first()
    return str(row.pk if row else 0)


def _written(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        return re.sub(
            r"<(?:\w+:)?(\w+)>", lambda found: "{" + _named(found[1], str(pattern)) + "}", str(pattern)
        )
    return (
        re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", str(pattern)).strip("^$").replace("\\", "").replace("/?", "/")
    )


def _named(argument: str, route: str) -> str:
    """The table's word for a part of a route; the console's rows and the cases share Django's."""
    return "case" if argument == "row" and "cases/" in route else NAMES.get(argument, argument)


NAMES = {
    "job_id": "job",
    "repository_id": "repository",
    "restore_point_id": "point",
    "point_id": "point",
    "session_id": "session",
    "rekey_id": "rekey",
    "request_id": "request",
    "password_id": "password",
    "number": "request_number",
}


def _ask(user: User, job: Job) -> ApprovalRequest:
    return requests.ask("activate_encryption", by=user, via_token=not user.is_human, **wish(job))


def _proving(asker: User, accounts: dict[str, User], job: Job) -> ApprovalRequest:
    """A request under a policy that demands a proof; the policy of before is in force again afterwards."""
    new_policy(custody_proof=True)
    names = sorted({user.person.name for user in accounts.values()})
    asked = wish(job, custody=[CUSTODY | {"custodian": name} for name in names])
    request = requests.ask("activate_encryption", by=asker, **asked)
    new_policy()
    return request


def _clients(accounts: dict[str, User]) -> dict[str, Client]:
    made = {name: as_user(user) for name, user in accounts.items() if name != "service"}
    robot = accounts["service"]
    token = users.create_token(user=robot, name="matrix", days=1, scopes=["api"], by=robot)
    made["service"] = Client(HTTP_HOST="localhost:8000", headers={"Authorization": f"Bearer {token}"})
    made["nobody"] = Client(HTTP_HOST="localhost:8000")
    return made


def _name(user: User, job: Job) -> None:
    for verb in JOB_VERBS:
        permission = Permission.objects.get(codename=f"{verb}_job")
        JobUserObjectPermission.objects.get_or_create(user=user, content_object=job, permission=permission)


def _ids(job: Job) -> dict[str, str]:
    return {
        "job": str(job.pk),
        "repository": str(job.repository_id),
        "point": str(RestorePoint.objects.filter(job=job).first().pk),
        "session": str(JobSession.objects.filter(job=job).first().pk),
        "rekey": str(job.rekey_steps.get().rekey_id),
        "password": str(job.password_id),
        "sequence": "0",
        "member_id": str(SecurityMember.objects.get(user__username="tess").pk),
        "server_id": str(make_server().pk),
        "alarm_id": str(Alarm.objects.latest("raised_at").pk),
        "look_id": str(UUID(int=1)),
        "adoption_id": str(UUID(int=1)),
        "reading_id": str(UUID(int=1)),
        "task_id": str(UUID(int=1)),
        "name": "governance",
        "report_id": str(UUID(int=1)),
        "schedule_id": str(UUID(int=1)),
        "finding_id": str(UUID(int=1)),
        "app_label": "encryption",
        "row": str(job.pk),
        **held.recovering(job),
    }


def _bodies(job: Job, place: Any) -> dict[str, dict[str, Any]]:
    asked = {key: [str(job.pk)] if key == "jobs" else value for key, value in wish(job).items()}
    decision = {"digest": DIGEST, "nonce": "x", "step_up": {"totp": "000000"}}
    api, seats = "/api/v1", "/api/v1/security-role/members/{member_id}"
    confirmed, doubt = {"nonce": "x", "step_up": {"totp": "000000"}}, {"reason": "A strange call."}
    return {
        f"POST {api}/jobs/": {"name": "New", "repository": str(job.repository_id), "source": job.source},
        f"PATCH {api}/jobs/{{job}}/": {"full_every": 5},
        f"POST {api}/repositories/": {"name": "New", "location": str(place / "new")},
        f"PATCH {api}/repositories/{{repository}}/": {"offsite": True},
        f"POST {api}/restore-points/{{point}}/restore/": {"to": str(place / "restored")},
        f"POST {api}/requests/": {"kind": "activate_encryption", **asked},
        f"POST {api}/requests/{{request}}/challenge/": {"verdict": "approve", "digest": DIGEST},
        f"POST {api}/requests/{{request}}/approve/": decision,
        f"POST {api}/requests/{{request}}/reject/": decision,
        f"POST {api}/requests/{{request}}/withdraw/": {"digest": DIGEST},
        f"POST {api}/tokens/": {"name": "matrix", "days": 1, "scopes": ["api"]},
        f"POST {api}/passwords/{{password}}/adoptions/": {"password": "x"},
        f"POST {api}/veeam/servers/": {
            "name": "New",
            "address": "vbr02.corp.example",
            "thumbprint": "ab" * 32,
            "account": "svc",
            "password": "x",
        },
        f"POST {api}/report-schedules/": {"report": "governance", "every": "month", "recipients": [READER]},
        f"POST {api}/keysets/": {"suite": "rsa-4096", "description": "Of the matrix"},
        f"PUT {api}/keysets/automatic/": {"automatic": False, "suite": "rsa-4096", "weeks": 4},
        f"POST {api}/backup-servers/{{server_id}}/revoke/": {"reason": "Stolen."},
        f"POST {api}/backup-servers/": {"text": "no document"},
        f"POST {api}/recovery-cases/": {"jobs": [str(job.pk)], "reason": "Lost."},
        f"POST {api}/recovery-cases/{{case}}/response/": {"text": "no document"},
        f"POST {api}/custody/{{record_id}}/prove/": {"password": "not the one"},
        f"POST {api}/requests/{{request}}/prove/": {"password": "not the one"},
        f"POST {seats}/alarm/": doubt,
        f"POST {seats}/challenge/": {"act": "suspend", **doubt},
        f"POST {seats}/suspend/": {**confirmed, **doubt},
        f"POST {seats}/confirm/": confirmed,
        f"POST {seats}/lift/": confirmed,
    }
