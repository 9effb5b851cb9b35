"""The addresses of jobs, restore points, passwords and re-keys."""

from django.urls import path

from encryption.api import adoption, jobs, keys, places, reconciliation, veeam

api_urlpatterns = [
    path("repositories/", places.Repositories.as_view(), name="repositories_api"),
    path("repositories/<uuid:repository_id>/", places.RepositoryDetail.as_view(), name="repository_api"),
    path(
        "repositories/<uuid:repository_id>/adopt/",
        adoption.RepositoryAdoptions.as_view(),
        name="repository_adopt_api",
    ),
    path("jobs/", jobs.Jobs.as_view(), name="jobs_api"),
    path("jobs/<uuid:job_id>/", jobs.JobDetail.as_view(), name="job_api"),
    path("jobs/<uuid:job_id>/run/", jobs.JobRun.as_view(), name="job_run_api"),
    path("jobs/<uuid:job_id>/sessions/", jobs.JobSessions.as_view(), name="job_sessions_api"),
    path(
        "jobs/<uuid:job_id>/restore-points/", jobs.JobRestorePoints.as_view(), name="job_restore_points_api"
    ),
    path("jobs/<uuid:job_id>/keys/", jobs.JobKeys.as_view(), name="job_keys_api"),
    path("jobs/<uuid:job_id>/badge/", jobs.JobBadge.as_view(), name="job_badge_api"),
    path("sessions/<uuid:session_id>/", jobs.SessionDetail.as_view(), name="session_api"),
    path("restore-points/<uuid:restore_point_id>/restore/", jobs.Restore.as_view(), name="restore_api"),
    path("passwords/", keys.Passwords.as_view(), name="passwords_api"),
    path("passwords/<uuid:password_id>/adoptions/", adoption.Adoptions.as_view(), name="adoptions_api"),
    path("rekeys/<uuid:rekey_id>/", keys.RekeyDetail.as_view(), name="rekey_api"),
    path("drifts/", keys.Drifts.as_view(), name="drifts_api"),
    path("opens/", veeam.Opens.as_view(), name="opens_api"),
    path("veeam/servers/", veeam.VeeamServers.as_view(), name="veeam_servers_api"),
    path("veeam/servers/<uuid:repository_id>/", veeam.VeeamServerDetail.as_view(), name="veeam_server_api"),
    path(
        "veeam/servers/<uuid:server_id>/reconciliation/",
        reconciliation.VeeamReconciliation.as_view(),
        name="veeam_reconciliation_api",
    ),
    path("veeam/events/", reconciliation.VeeamEvents.as_view(), name="veeam_events_api"),
]
