"""The addresses of the log."""

from django.urls import path

from audit import api

api_urlpatterns = [
    path("audit/entries/", api.Entries.as_view(), name="audit_entries"),
    path("audit/entries/<int:sequence>/proof/", api.Proof.as_view(), name="audit_proof"),
    path("audit/forwarders/", api.Forwarders.as_view(), name="audit_forwarders"),
    path("audit/checkpoint/", api.Head.as_view(), name="audit_checkpoint"),
]
