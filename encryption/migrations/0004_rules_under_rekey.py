from django.db import migrations

from encryption.triggers import SQL


class Migration(migrations.Migration):
    dependencies = [("encryption", "0003_free_space_of_a_repository")]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
