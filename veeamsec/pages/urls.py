"""The addresses of the pages."""

from django.urls import URLPattern, path

from veeamsec.pages.views import (
    ask,
    decide,
    jobs,
    log,
    overview,
    passwords,
    people,
    requests,
    restores,
    search,
    start,
)

urlpatterns: list[URLPattern] = [
    path("", overview.overview, name="overview"),
    path("requests/", requests.requests, name="requests"),
    path("requests/activate/", ask.ask, {"asking": ask.ACTIVATE}, name="ask_activate"),
    path("requests/change/", ask.ask, {"asking": ask.CHANGE}, name="ask_change"),
    path("requests/deactivate/", ask.ask, {"asking": ask.DEACTIVATE}, name="ask_deactivate"),
    path("requests/delete/", ask.ask, {"asking": ask.DELETE}, name="ask_delete"),
    path("requests/<uuid:request_id>/", requests.request_page, name="request"),
    path("requests/<uuid:request_id>/decide/", decide.request_decide, name="request_decide"),
    path("requests/<uuid:request_id>/progress/", requests.request_progress, name="request_progress"),
    path("requests/<uuid:request_id>/withdraw/", requests.request_withdraw, name="request_withdraw"),
    path("requests/<uuid:request_id>/print/", requests.request_print, name="request_print"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/", jobs.job, name="job"),
    path("jobs/<uuid:job_id>/run/", jobs.job_run, name="job_run"),
    path("jobs/<uuid:job_id>/runs/", jobs.job_runs, name="job_runs"),
    path("rekeys/<uuid:rekey_id>/progress/", jobs.rekey_progress, name="rekey_progress"),
    path("restore-points/<uuid:point_id>/restore/", restores.restore, name="restore"),
    path("sessions/<uuid:session_id>/", restores.session, name="session"),
    path("sessions/<uuid:session_id>/progress/", restores.session_progress, name="session_progress"),
    path("passwords/", passwords.passwords, name="passwords"),
    path("passwords/<uuid:password_id>/", passwords.password, name="password"),
    path("repositories/", passwords.repositories, name="repositories"),
    path("people/", people.people, name="people"),
    path("log/", log.log, name="log"),
    path("alarms/", log.alarms, name="alarms"),
    path("account/", people.account, name="account"),
    path("search/", search.search, name="search"),
    path("start/<str:token>/", start.first_start, name="first_start"),
]
