"""Requests about drifts, what PostgreSQL refuses about them, and whether a Veeam job names its request."""

from django.db import migrations, models

from approvals.triggers import SQL


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0005_named_administrators'),
    ]

    operations = [
        migrations.AddField(
            model_name='policy',
            name='number_in_description',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='approvalrequest',
            name='kind',
            field=models.CharField(choices=[('activate_encryption', 'Activate encryption'), ('change_password', 'Change a password'), ('deactivate_encryption', 'Deactivate encryption'), ('delete_password', 'Delete a password'), ('add_security_member', 'Seat a member of Security'), ('remove_security_member', 'End a seat of Security'), ('replace_security_member', 'Replace a member of Security'), ('grant_administrator', "Grant an administrator's office"), ('revoke_administrator', "Revoke an administrator's office"), ('reset_credentials', "Reset somebody's credentials"), ('change_policy', 'Change the policy'), ('explain_drift', 'Explain what was found'), ('revert_drift', 'Put back what was found changed')], max_length=30),
        ),
        migrations.AlterField(
            model_name='requesttarget',
            name='type',
            field=models.CharField(choices=[('job', 'Job'), ('password', 'Password'), ('user', 'Account'), ('member', 'Seat of Security'), ('policy', 'Policy'), ('drift', 'Drift')], max_length=10),
        ),
        migrations.RunSQL([SQL], migrations.RunSQL.noop),
    ]
