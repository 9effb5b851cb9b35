"""An event of a server that was not known yet may find it later, once."""

from django.db import migrations

from encryption.triggers import VEEAM_SQL


class Migration(migrations.Migration):
    dependencies = [("encryption", "0010_live_points_counted")]

    operations = [migrations.RunSQL(VEEAM_SQL, migrations.RunSQL.noop)]
