"""Whoever made the account that asks, or a link to it, does not vote: the database refuses it too (P1)."""

from django.db import migrations

from approvals.triggers import SQL


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0003_people_and_policies'),
        ('accounts', '0004_origins_of_accounts'),
    ]

    operations = [migrations.RunSQL([SQL], migrations.RunSQL.noop)]
