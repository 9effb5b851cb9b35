"""Repositories that are adopted, and versions whose value nobody has proved to know yet."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from encryption.triggers import SQL


class Migration(migrations.Migration):

    dependencies = [
        ('encryption', '0011_events_find_their_server'),
    ]

    operations = [
        migrations.CreateModel(
            name='AdoptedJob',
            fields=[
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='adopted', serialize=False, to='encryption.job')),
                ('user_key', models.UUIDField(null=True)),
                ('fingerprint', models.CharField(blank=True, max_length=64)),
                ('adopted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('proved_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RepositoryAdoption',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('asked_by', models.UUIDField()),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('state', models.CharField(choices=[('waiting', 'Being read'), ('done', 'Read to its end'), ('failed', 'Not read to its end')], default='waiting', max_length=10)),
                ('said', models.TextField(blank=True)),
                ('jobs', models.PositiveIntegerField(default=0)),
                ('points', models.PositiveIntegerField(default=0)),
                ('unread', models.PositiveIntegerField(default=0)),
                ('named', models.JSONField(default=list)),
                ('signers', models.JSONField(default=dict)),
                ('done_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-asked_at'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='passwordversion',
            name='version_sealed_or_erased',
        ),
        migrations.AddConstraint(
            model_name='passwordversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('erased_at', None), ('sealed_password__isnull', False), ('sealed_root__isnull', False)), models.Q(('erased_at__isnull', False), ('sealed_password', None), ('sealed_root', None)), models.Q(('erased_at', None), ('sealed_password', None), ('sealed_root', None)), models.Q(('erased_at', None), ('kdf', {}), ('sealed_root', None)), _connector='OR'), name='version_sealed_or_erased'),
        ),
        migrations.AddField(
            model_name='adoptedjob',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adopted', to='encryption.passwordversion'),
        ),
        migrations.AddField(
            model_name='repositoryadoption',
            name='repository',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adoptions', to='encryption.repository'),
        ),
        migrations.AddField(
            model_name='adoptedjob',
            name='adoption',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adopted', to='encryption.repositoryadoption'),
        ),
        migrations.AddConstraint(
            model_name='repositoryadoption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at', None), ('state', 'waiting')), models.Q(('done_at__isnull', False), ('state__in', ['done', 'failed'])), _connector='OR'), name='an_adoption_ends_with_a_time'),
        ),
        migrations.AddConstraint(
            model_name='repositoryadoption',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('repository',), name='one_adoption_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='adoptedjob',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fingerprint', ''), ('user_key', None), ('version', None)), models.Q(('user_key__isnull', False), ('version__isnull', False)), _connector='OR'), name='adopted_keyring_names_its_version'),
        ),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
