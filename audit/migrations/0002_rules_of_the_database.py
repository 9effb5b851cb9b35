"""What PostgreSQL refuses about the log."""

from django.db import migrations

from audit.triggers import TRIGGERS


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL([TRIGGERS])]
