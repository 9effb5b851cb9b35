"""Requests over the API: asking, reading, deciding."""

from approvals.api.views import (
    ApproveView,
    ChallengeView,
    EarlyProofView,
    EvidenceView,
    PoliciesView,
    ProcedureView,
    RejectView,
    RequestsView,
    RequestView,
    SecurityRoleView,
    WithdrawView,
)

__all__ = [
    "ApproveView",
    "ChallengeView",
    "EarlyProofView",
    "EvidenceView",
    "PoliciesView",
    "ProcedureView",
    "RejectView",
    "RequestView",
    "RequestsView",
    "SecurityRoleView",
    "WithdrawView",
]
