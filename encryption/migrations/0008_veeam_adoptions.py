"""Values that people offer as the one in force of a Veeam password."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('encryption', '0007_keyset_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='VeeamAdoption',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('asked_by', models.UUIDField()),
                ('person', models.UUIDField()),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sealed', models.BinaryField(null=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('adopted', 'Proved and adopted'), ('wrong', 'Not the password'), ('failed', 'Not proved')], default='waiting', max_length=10)),
                ('said', models.TextField(blank=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('password', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adoptions', to='encryption.encryptionpassword')),
            ],
            options={
                'ordering': ['-asked_at'],
                'indexes': [models.Index(fields=['password', 'asked_at'], name='encryption__passwor_8bbfa2_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('done_at', None), ('state', 'waiting')), models.Q(('done_at__isnull', False), ('sealed', None)), _connector='OR'), name='an_ended_adoption_keeps_no_secret')],
            },
        ),
    ]
