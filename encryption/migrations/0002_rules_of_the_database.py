from django.db import migrations

from encryption.triggers import SQL


class Migration(migrations.Migration):
    dependencies = [("encryption", "0001_initial")]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
