"""A value that is proved later is judged then, once."""

from django.db import migrations

from encryption.triggers import SQL


class Migration(migrations.Migration):

    dependencies = [
        ('encryption', '0013_master_rotations'),
    ]

    operations = [
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
