"""The one row of the Security Role, and what PostgreSQL refuses about people."""

from django.db import migrations

from accounts.triggers import SQL

ROLE = "INSERT INTO accounts_securityrole (id, sealed_at) VALUES (1, NULL) ON CONFLICT DO NOTHING;"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunSQL(ROLE), migrations.RunSQL([SQL])]
