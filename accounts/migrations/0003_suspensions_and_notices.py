"""Suspensions, passkeys that enter the roster, known devices and notices; tokens get a name."""

import django.contrib.postgres.functions
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from accounts.triggers import SQL, SUSPENSIONS_SQL


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_rules_of_the_database'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='reference',
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), db_index=True, editable=False),
        ),
        migrations.AddField(
            model_name='securitymember',
            name='suspended_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='CredentialEnrolment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('credential', models.CharField(max_length=1400)),
                ('public_key', models.CharField(max_length=6000)),
                ('proof', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credential_enrolments', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('what', models.CharField(choices=[('new_device', 'Somebody signed in to your account from a new device'), ('factor_changed', 'A second factor of your account was changed'), ('password_changed', 'The password of your account was changed'), ('credentials_reset', 'The credentials of your account were reset'), ('passkey_in_roster', 'A passkey of yours entered the signed roster'), ('member_suspended', 'A member of Security was suspended'), ('suspension_confirmed', 'A suspension in Security was confirmed'), ('suspension_lifted', 'A suspension in Security was lifted')], max_length=30)),
                ('detail', models.CharField(blank=True, max_length=200)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='Suspension',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.TextField()),
                ('proof', models.JSONField()),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ends_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='accounts.securitymember')),
                ('suspender', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions_made', to='accounts.securitymember')),
            ],
            options={
                'ordering': ['-began_at'],
            },
        ),
        migrations.CreateModel(
            name='KnownDevice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mark', models.BinaryField(max_length=32)),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='known_devices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'mark'), name='one_mark_a_device')],
            },
        ),
        migrations.CreateModel(
            name='SuspensionVoice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('says', models.CharField(choices=[('confirm', 'Confirms'), ('lift', 'Lifts')], max_length=10)),
                ('proof', models.JSONField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('seat', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.securitymember')),
                ('suspension', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='voices', to='accounts.suspension')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('suspension', 'seat', 'says'), name='one_voice_a_seat')],
            },
        ),
        migrations.RunSQL([SQL, SUSPENSIONS_SQL], migrations.RunSQL.noop),
    ]
