"""Who made an account, who saw a link to it, and what became of a passkey that was offered."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.triggers import ORIGINS_SQL, SQL, SUSPENSIONS_SQL

# The log has told of both since the first day.
TOLD = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE accounts_user u SET created_by_id = e.actor FROM audit_entry e
WHERE e.event = 'user.created' AND e.subject_id = u.id::text AND e.actor IN (SELECT id FROM accounts_user);
UPDATE accounts_enrolmentlink l SET issued_by_id = (
    SELECT e.actor FROM audit_entry e
    WHERE e.event = 'enrolment.link_made' AND e.subject_id = l.user_id::text
    AND e.actor IN (SELECT id FROM accounts_user) ORDER BY e.sequence DESC LIMIT 1);
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_suspensions_and_notices'),
        ('audit', '0002_rules_of_the_database'),
    ]

    operations = [
        migrations.AddField(
            model_name='credentialenrolment',
            name='reason',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='credentialenrolment',
            name='state',
            field=models.CharField(choices=[('waiting', 'Waiting for the worker'), ('entered', 'Entered the roster'), ('refused', 'Refused')], default='waiting', max_length=10),
        ),
        migrations.AddField(
            model_name='enrolmentlink',
            name='issued_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='user',
            name='created_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='notice',
            name='what',
            field=models.CharField(choices=[('new_device', 'Somebody signed in to your account from a new device'), ('factor_changed', 'A second factor of your account was changed'), ('password_changed', 'The password of your account was changed'), ('credentials_reset', 'The credentials of your account were reset'), ('passkey_in_roster', 'A passkey of yours entered the signed roster'), ('passkey_left_roster', 'A passkey of yours left the signed roster'), ('passkey_refused', 'A passkey of yours did not enter the signed roster'), ('member_suspended', 'A member of Security was suspended'), ('suspension_confirmed', 'A suspension in Security was confirmed'), ('suspension_lifted', 'A suspension in Security was lifted')], max_length=30),
        ),
        migrations.AddConstraint(
            model_name='credentialenrolment',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'refused'), ('reason', ''), _connector='OR'), name='only_a_refusal_has_a_reason'),
        ),
        migrations.RunSQL(TOLD, migrations.RunSQL.noop),
        migrations.RunSQL([SQL, SUSPENSIONS_SQL, ORIGINS_SQL], migrations.RunSQL.noop),
    ]
