"""The addresses of approvals; pages are the house's."""

from django.urls import path

from approvals import api

api_urlpatterns = [
    path("security-role/", api.SecurityRoleView.as_view(), name="api_security_role"),
    path("policies/", api.PoliciesView.as_view(), name="api-policies"),
    path("requests/", api.RequestsView.as_view(), name="api-requests"),
    path("requests/procedure/", api.ProcedureView.as_view(), name="api-procedure"),
    path("requests/<uuid:request_id>/", api.RequestView.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/challenge/", api.ChallengeView.as_view(), name="api-challenge"),
    path("requests/<uuid:request_id>/approve/", api.ApproveView.as_view(), name="api-approve"),
    path("requests/<uuid:request_id>/reject/", api.RejectView.as_view(), name="api-reject"),
    path("requests/<uuid:request_id>/withdraw/", api.WithdrawView.as_view(), name="api-withdraw"),
    path("requests/<uuid:request_id>/prove/", api.EarlyProofView.as_view(), name="api-early-proof"),
    path("requests/<uuid:request_id>/evidence/", api.EvidenceView.as_view(), name="api-evidence"),
]
