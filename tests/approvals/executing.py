"""What tests of the execution share: whole ways, forged rows, and seeing that something went stale."""

from django.db import connection

from approvals.models import ApprovalRequest, State
from approvals.services import execution, requests
from audit.models import Alarm
from encryption.models import PasswordVersion, Rekey
from tests.approvals.conftest import CUSTODY, answers, approve, work

OTHER = "Laterne-Quitte-31-Segel-Moos"


def forge(table: str, pk: object, **columns: object) -> None:
    """Change a row as only somebody with the whole database could: past its triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        names = ", ".join(f'"{column}" = %s' for column in columns)
        cursor.execute(f"UPDATE {table} SET {names} WHERE id = %s", [*columns.values(), pk])
        cursor.execute("SET session_replication_role = origin")


def stale(request: ApprovalRequest) -> str:
    """Execute, see that it went stale with nothing written, and return why."""
    execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.STALE
    assert request.sealed_secret is None
    assert not Rekey.objects.exists()
    assert not PasswordVersion.objects.exists()
    assert Alarm.objects.filter(kind="request.stale").count() == 1
    return request.outcome


def activate(people, ask, *jobs, **fields) -> ApprovalRequest:
    """An activation from the question to its end."""
    return work(approve(people.dpo, ask(*jobs, **fields)))


def change(people, password, **fields) -> ApprovalRequest:
    """A change of a password, asked."""
    wish = {
        "reason": "Yearly.",
        "encryption_password": password,
        "new_password": OTHER,
        "custody": [CUSTODY],
        "answers": answers(),
    }
    return requests.ask("change_password", by=people.operator, **(wish | fields))
