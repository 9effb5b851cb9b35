"""The addresses of findings and reports; pages are the house's."""

from django.urls import path

from compliance import api

api_urlpatterns = [
    path("compliance/assessments/", api.Assessments.as_view(), name="api-assessments"),
    path("compliance/findings/", api.Findings.as_view(), name="api-findings"),
    path("compliance/findings/<uuid:finding_id>/", api.FindingView.as_view(), name="api-finding"),
    path("reports/", api.Catalogue.as_view(), name="api-reports"),
    path("reports/<slug:name>/", api.ReportView.as_view(), name="api-report"),
    path("reports/<slug:name>/csv/", api.SheetView.as_view(), name="api-report-csv"),
    path("reports/<slug:name>/files/", api.Making.as_view(), name="api-report-making"),
    path("report-files/", api.Files.as_view(), name="api-report-files"),
    path("report-files/<uuid:report_id>/", api.File.as_view(), name="api-report-file"),
    path("report-files/<uuid:report_id>/content/", api.Content.as_view(), name="api-report-content"),
    path("report-schedules/", api.Schedules.as_view(), name="api-report-schedules"),
    path("report-schedules/<uuid:schedule_id>/", api.Schedule.as_view(), name="api-report-schedule"),
]
