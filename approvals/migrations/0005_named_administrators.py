"""Where administrators are named for a repository, no other one votes on its jobs."""

from django.db import migrations

from approvals.triggers import SQL


class Migration(migrations.Migration):

    dependencies = [('approvals', '0004_makers_do_not_vote')]

    operations = [migrations.RunSQL([SQL], migrations.RunSQL.noop)]
