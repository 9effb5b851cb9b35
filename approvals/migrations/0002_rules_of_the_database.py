"""The numbers of requests, what PostgreSQL refuses about them, and the policy that a new installation starts with."""

from typing import Any

from django.db import migrations

from approvals.triggers import SQL

# Four figures from the first day: a number that people say on the telephone.
NUMBERS = "CREATE SEQUENCE approvals_request_number AS bigint START WITH 1001;"

PROCEDURE = """Before you ask:
1. Write the password on at least one medium that is kept apart from the backups, and one of them away from the house.
2. Name who holds it. Somebody besides you must be able to get at it when you are away.
3. Make sure that the latest backup can be restored, and that you know the password that opens it.
4. Check that the record of processing activities names this backup and how it is protected.

Before you approve:
1. Read who will hold the password. If nobody but the asker does, ask why.
2. Read what opens what afterwards: older restore points may still need the older password.
3. Make sure that you know the asker and the reason; ask them, on another way than this one.
"""

QUESTIONS = [
    "Why now?",
    "Who else will know the password, or can get at it without you?",
    "When was a restore of these backups last tested, and did it work?",
    "Is the entry in the record of processing activities up to date?",
]


def make_policy(apps: Any, schema_editor: Any) -> None:
    apps.get_model("approvals", "Policy").objects.create(
        scope=None,
        number=1,
        quorum=1,
        pools=[],
        advising_titles=[],
        administrators_may_approve=True,
        mfa_required=True,
        procedure_version=1,
        procedure_text=PROCEDURE,
        procedure_questions=QUESTIONS,
    )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial"), ("accounts", "0002_rules_of_the_database")]

    operations = [
        migrations.RunSQL(NUMBERS, "DROP SEQUENCE approvals_request_number;"),
        migrations.RunPython(make_policy, migrations.RunPython.noop),
        migrations.RunSQL([SQL], migrations.RunSQL.noop),
    ]
