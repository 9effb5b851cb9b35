"""A version says who asked for it; of the former ones the first who knew it did."""

from django.db import migrations, models

from encryption.triggers import ASKERS_SQL

FORMER = """
UPDATE encryption_passwordversion SET asked_by = (known_to->>0)::uuid
WHERE request IS NOT NULL AND jsonb_array_length(known_to) > 0;
"""


class Migration(migrations.Migration):
    dependencies = [("encryption", "0014_adopted_values_judged")]

    operations = [
        migrations.AddField("passwordversion", "asked_by", models.UUIDField(null=True)),
        migrations.RunSQL(FORMER, migrations.RunSQL.noop),
        migrations.RunSQL(ASKERS_SQL, migrations.RunSQL.noop),
    ]
