"""A proof is offered unjudged; what it is, the worker says."""

from django.db import migrations

from recovery.triggers import OFFERS_SQL


class Migration(migrations.Migration):

    dependencies = [
        ('recovery', '0003_releases'),
    ]

    operations = [
        migrations.RunSQL([OFFERS_SQL], migrations.RunSQL.noop),
    ]
