"""The end of a former suspension, noted late, clears no later one; an account's address is not edited."""

from django.db import migrations

from accounts.triggers import SQL, SUSPENSIONS_SQL


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_origins_of_accounts")]

    operations = [migrations.RunSQL([SQL, SUSPENSIONS_SQL], migrations.RunSQL.noop)]
