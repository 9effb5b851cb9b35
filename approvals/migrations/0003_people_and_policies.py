"""Requests about people and rules, and what PostgreSQL refuses about them."""

from django.db import migrations, models

from approvals.triggers import SQL


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0002_rules_of_the_database'),
        ('accounts', '0003_suspensions_and_notices'),
    ]

    operations = [
        migrations.AlterField(
            model_name='approvalrequest',
            name='kind',
            field=models.CharField(choices=[('activate_encryption', 'Activate encryption'), ('change_password', 'Change a password'), ('deactivate_encryption', 'Deactivate encryption'), ('delete_password', 'Delete a password'), ('add_security_member', 'Seat a member of Security'), ('remove_security_member', 'End a seat of Security'), ('replace_security_member', 'Replace a member of Security'), ('grant_administrator', "Grant an administrator's office"), ('revoke_administrator', "Revoke an administrator's office"), ('reset_credentials', "Reset somebody's credentials"), ('change_policy', 'Change the policy')], max_length=30),
        ),
        migrations.AlterField(
            model_name='requesttarget',
            name='type',
            field=models.CharField(choices=[('job', 'Job'), ('password', 'Password'), ('user', 'Account'), ('member', 'Seat of Security'), ('policy', 'Policy')], max_length=10),
        ),
        migrations.RunSQL([SQL], migrations.RunSQL.noop),
    ]
