"""The addresses of keysets, backup servers, recovery cases and custody."""

from django.urls import path

from recovery.api import cases, enterprise, texts

api_urlpatterns = [
    path("keysets/", enterprise.Keysets.as_view(), name="keysets_api"),
    path("keysets/automatic/", enterprise.Automatic.as_view(), name="keysets_automatic_api"),
    path("keysets/<uuid:keyset_id>/text/", texts.KeysetText.as_view(), name="keyset_text_api"),
    path("backup-servers/<uuid:server_id>/text/", texts.ServerText.as_view(), name="server_text_api"),
    path("backup-servers/<uuid:server_id>/revoke/", enterprise.Revoke.as_view(), name="server_revoke_api"),
    path("backup-servers/", enterprise.BackupServers.as_view(), name="backup_servers_api"),
    path("recovery-cases/", cases.Cases.as_view(), name="recovery_cases_api"),
    path("recovery-cases/<uuid:row>/text/", cases.CaseText.as_view(), name="recovery_case_text_api"),
    path(
        "recovery-cases/<uuid:row>/response/", cases.CaseResponse.as_view(), name="recovery_case_response_api"
    ),
    path("custody/", cases.Custody.as_view(), name="custody_api"),
    path("custody/<uuid:record_id>/prove/", cases.Prove.as_view(), name="custody_prove_api"),
]
