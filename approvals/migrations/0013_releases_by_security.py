"""On a release Security alone votes, whoever writes the row."""

from django.db import migrations

from approvals.triggers import SQL


class Migration(migrations.Migration):
    dependencies = [("approvals", "0012_taken_keysets")]

    operations = [migrations.RunSQL([SQL], migrations.RunSQL.noop)]
