"""The addresses of keysets, backup servers, recovery cases and custody."""

from django.urls import path

from recovery import api

api_urlpatterns = [
    path("keysets/", api.Keysets.as_view(), name="keysets_api"),
    path("backup-servers/", api.BackupServers.as_view(), name="backup_servers_api"),
    path("recovery-cases/", api.Cases.as_view(), name="recovery_cases_api"),
    path("recovery-cases/<uuid:row>/text/", api.CaseText.as_view(), name="recovery_case_text_api"),
    path(
        "recovery-cases/<uuid:row>/response/", api.CaseResponse.as_view(), name="recovery_case_response_api"
    ),
    path("custody/", api.Custody.as_view(), name="custody_api"),
    path("custody/<uuid:record_id>/prove/", api.Prove.as_view(), name="custody_prove_api"),
]
